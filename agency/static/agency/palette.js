// The search of the head as a palette: "/" or Ctrl-K goes there, what fits appears while one
// types, arrows and Enter choose. Without this script the same field is a search like any other.
(() => {
  const form = document.querySelector(".find");
  if (!form) return;
  const field = form.elements.q;
  const found = form.querySelector(".found");
  const links = () => [...found.querySelectorAll("a")];
  let shown = null; // what the list that stands there was asked for
  let waiting;

  const close = () => { found.hidden = true; };

  const look = async () => {
    const asked = field.value.trim();
    if (asked !== shown) {
      const answer = await fetch(`${form.action}?part=1&q=${encodeURIComponent(asked)}`);
      if (answer.redirected) return location.reload(); // signed out meanwhile
      if (!answer.ok || asked !== field.value.trim()) return;
      found.innerHTML = await answer.text();
      shown = asked;
    }
    found.hidden = false;
  };

  const step = (by) => {
    const all = [field, ...links()];
    const next = all.indexOf(document.activeElement) + by;
    all[(next + all.length) % all.length].focus();
  };

  const isTyping = (target) => target.closest("input, select, textarea, [contenteditable]");

  document.addEventListener("keydown", (press) => {
    const isSlash = press.key === "/" && !press.ctrlKey && !press.metaKey && !press.altKey;
    const isK = /^k$/i.test(press.key) && (press.ctrlKey || press.metaKey);
    if (isK || (isSlash && !isTyping(press.target))) {
      press.preventDefault();
      field.select();
      field.focus();
    }
  });
  field.addEventListener("focus", look);
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(look, 150);
  });
  form.addEventListener("keydown", (press) => {
    if (press.key === "Escape") {
      press.preventDefault(); // a browser would empty the field, and so ask anew
      close();
      field.blur();
    } else if (press.key === "ArrowDown" || press.key === "ArrowUp") {
      press.preventDefault();
      step(press.key === "ArrowDown" ? 1 : -1);
    } else if (press.key === "Enter" && press.target === field) {
      const isWhole = !found.hidden && shown === field.value.trim();
      if (!isWhole || !links().length) return; // the page of what was found says it all
      press.preventDefault();
      links()[0].click();
    }
  });
  document.addEventListener("focusin", (moved) => { if (!form.contains(moved.target)) close(); });
  document.addEventListener("pointerdown", (press) => { if (!form.contains(press.target)) close(); });
})();
