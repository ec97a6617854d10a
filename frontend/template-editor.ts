/** Loads the code editor once the page is read, not before it: it weighs more. Until then, text areas hold the text. */
export {};

const EDITOR = "/static/built/template-code.js";

import(EDITOR).catch(() => {
  const trouble = document.getElementById("trouble");
  if (trouble === null) return;
  trouble.textContent = "The code editor did not load. You can edit the text without it, or reload the page.";
  trouble.hidden = false;
});
