// Select2 draws a field of its own beside each select, without a name for a screen reader.
// This gives it the name of the select it stands for, also in rows that are added later.
(() => {
  const nameOf = (select) => {
    const label = select.id && document.querySelector(`label[for="${select.id}"]`);
    return select.getAttribute("aria-label") || (label && label.textContent.trim());
  };
  const name = (selection) => {
    const container = selection.closest(".select2-container");
    const select = container && container.previousElementSibling;
    const found = select && select.matches("select") && nameOf(select);
    if (!found || selection.getAttribute("aria-label") === found) return;
    selection.removeAttribute("aria-labelledby");
    selection.setAttribute("aria-label", found);
    selection.querySelector("[role=textbox]")?.setAttribute("aria-label", found);
  };
  const nameAll = () => document.querySelectorAll(".select2-selection").forEach(name);
  addEventListener("load", () => {
    nameAll();
    new MutationObserver(nameAll).observe(document.body, { childList: true, subtree: true });
  });
})();
