/** Colors of the tokens for a canvas, which does not know what a token is. */

/** Return the color that a token such as `--accent` has in the current scheme. */
export function token(name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  probe.hidden = true;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
