// A page cannot know the time at which it is read; its reader's clock does.
for (const due of document.querySelectorAll("[data-late-from]")) {
  if (Date.now() >= Date.parse(due.dataset.lateFrom)) {
    due.classList.add("late");
    due.querySelector("strong").hidden = false;
  }
}
