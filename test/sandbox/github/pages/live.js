/** Keeps the parts of a page fresh that follow what happens. Forms, and what was typed into them, are not among them. */
const EVERY_MS = 1_000;
const parts = () => [...document.querySelectorAll("[data-live]")];
const known = new Map(parts().map((part) => [part.dataset.live, part.innerHTML]));
let asking = false;

function renew(part, fresh) {
  const open = [...part.querySelectorAll("details")].map((one) => one.open);
  part.innerHTML = fresh;
  for (const [index, details] of part.querySelectorAll("details").entries()) details.open ||= open[index] === true;
}

async function look() {
  if (asking || document.hidden) return;
  asking = true;
  try {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of parts()) {
      const name = part.dataset.live;
      const fresh = page.querySelector(`[data-live="${name}"]`)?.innerHTML;
      if (!answer.ok || fresh === undefined || fresh === known.get(name)) continue;
      known.set(name, fresh);
      renew(part, fresh);
    }
  } catch {
    // The sandbox was stopped; the page stays as it was.
  } finally {
    asking = false;
  }
}

setInterval(look, EVERY_MS);
document.addEventListener("visibilitychange", look);
for (const select of document.querySelectorAll("select[data-submits]"))
  select.addEventListener("change", () => select.form.requestSubmit());
