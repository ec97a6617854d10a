/** Return a function that runs work a while after its last call. */
export function later(work: () => void, pause: number): () => void {
  let timer = 0;
  return () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(work, pause);
  };
}
