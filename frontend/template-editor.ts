/** Loads the code editor once the page is there: it weighs more than the page. Until then, text areas hold the text. */
export {};

const EDITOR = "/static/built/template-code.js";

window.addEventListener("load", () => {
  import(EDITOR).catch(() => {
    const trouble = document.getElementById("trouble");
    if (trouble === null) return;
    trouble.textContent = "The code editor did not load. You can edit the text without it, or reload the page.";
    trouble.hidden = false;
  });
});
