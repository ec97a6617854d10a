/** A form in a dialog that the server did not take is shown again, with what was wrong at its fields. */

for (const form of document.querySelectorAll("form[data-reopen]")) form.closest("dialog")?.showModal();
