// Shows how far a job is, every two seconds; once it is over, the page is asked for anew.
(() => {
  const panel = document.querySelector("[data-job]");
  if (!panel) return;
  const look = async () => {
    try {
      const answer = await fetch(panel.dataset.job);
      if (answer.redirected) return location.reload(); // signed out meanwhile
      const state = await answer.json();
      if (state.finished) return location.reload();
      if ("counts" in panel.dataset) panel.querySelector("progress").value = state.done;
      panel.querySelector("p").textContent = state.said;
    } catch {
      // No connection, or no answer that is ours: nothing is lost, and the next look may be better.
    }
    setTimeout(look, 2000);
  };
  setTimeout(look, 1000);
})();
