// Looks at a workbook without leaving the page, so that the file stays chosen for reading it in.
// Without this script it is chosen twice.
(() => {
  const form = document.getElementById("workbook");
  if (!form) return;
  const look = form.querySelector("button");
  const seen = () => document.getElementById("seen");

  form.addEventListener("change", () => {
    seen().replaceChildren(); // what stands there is about another file
    look.classList.add("first");
  });

  form.addEventListener("submit", async (sent) => {
    if (sent.submitter !== look) return;
    sent.preventDefault();
    const says = look.textContent;
    look.disabled = true;
    look.textContent = look.dataset.waits;
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
      if (answer.redirected) return location.assign(answer.url); // asked who it is, or too late
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of ["#workbook .field", "#seen", "#workbook button"]) {
        const told = page.querySelector(part);
        if (!told) throw new Error(part); // no answer of ours
        if (part === "#seen") seen().replaceChildren(...told.childNodes);
        else if (part === "#workbook button") look.className = told.className;
        else {
          const field = form.querySelector(".field");
          field.className = told.className;
          field.querySelectorAll(".err").forEach((line) => line.remove());
          field.append(...told.querySelectorAll(".err"));
        }
      }
      document.getElementById("unscripted")?.remove(); // here it stays chosen
      seen().querySelector("h2")?.focus();
    } catch {
      form.submit(); // shows the answer, or that there is none
    } finally {
      look.disabled = false;
      look.textContent = says;
    }
  });
})();
