// Keys, and choices that are kept until they are saved. Without this file the page works, too: it is
// an ordinary form.
"use strict";

const form = document.getElementById("ranks");

if (form) {
  // A judge compares the sentences by one question before the next: that is the order of keys.
  const rows = [...form.querySelectorAll(".sentences li")].map(
    (row) => [...row.querySelectorAll("fieldset")]);
  const questions = rows[0].flatMap((_, question) => rows.map((row) => row[question]));
  const left = document.getElementById("left");
  const wasSaved = left.textContent !== "";
  const undo = [];

  const radios = (question) => [...question.querySelectorAll("input")];
  const chosen = (question) => radios(question).find((radio) => radio.checked);
  const values = () => questions.map((question) => chosen(question)?.value ?? "");
  const before = values();
  let last = before;

  const current = () => questions.find((question) => question.contains(document.activeElement))
    ?? questions.find((question) => !chosen(question));

  const show = () => {
    const marked = current();
    questions.forEach((question) => question.classList.toggle("current", question === marked));
    const open = questions.filter((question) => !chosen(question)).length;
    const same = values().join() === before.join();
    left.textContent = open ? `${open} left` : wasSaved && same ? "Saved." : "Not saved yet.";
  };

  const changed = () => {
    const now = values();
    const place = now.findIndex((value, index) => value !== last[index]);
    if (place >= 0) undo.push([questions[place], last[place]]);
    last = now;
    sessionStorage.setItem(form.dataset.draft, JSON.stringify(now));
    show();
  };

  const set = (question, value) => radios(question).forEach((radio) => {
    radio.checked = radio.value === value;
  });

  const choose = (digit) => {
    const question = current();
    const radio = question && radios(question).find((one) => one.value === digit);
    if (!radio) return;
    radio.checked = true;
    changed();
    const next = questions[questions.indexOf(question) + 1];
    if (next) (chosen(next) ?? radios(next)[0]).focus();
    else form.querySelector("button.main").focus();
  };

  const takeBack = () => {
    const step = undo.pop();
    if (!step) return;
    set(...step);
    last = values();
    sessionStorage.setItem(form.dataset.draft, JSON.stringify(last));
    (chosen(step[0]) ?? radios(step[0])[0]).focus();
    show();
  };

  // What was chosen and not saved, because the page was left or the program had ended.
  const draft = JSON.parse(sessionStorage.getItem(form.dataset.draft) ?? "null");
  if (draft?.length === questions.length) {
    questions.forEach((question, place) => draft[place] && set(question, draft[place]));
    last = values();
  }

  form.addEventListener("change", changed);
  form.addEventListener("focusin", show);
  form.addEventListener("submit", (event) => {
    if (event.submitter?.id === "remove") sessionStorage.removeItem(form.dataset.draft);
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const where = document.activeElement;
    const free = where === document.body || where?.type === "radio";
    if (/^[1-9]$/.test(event.key)) choose(event.key);
    else if (event.key === "Backspace") takeBack();
    else if (event.key === "Enter" && free) form.requestSubmit();
    else if (event.key.toLowerCase() === "b") document.getElementById("back")?.click();
    else if (event.key.toLowerCase() === "n") document.getElementById("skip")?.click();
    else return;
    event.preventDefault();
  });

  const media = document.querySelector(".media > :first-child");
  const broken = () => { document.getElementById("broken").hidden = false; media.hidden = true; };
  media.addEventListener("error", broken);
  if (media.error || (media.complete && !media.naturalWidth)) broken();
  if (media.pause && matchMedia("(prefers-reduced-motion: reduce)").matches) media.pause();

  show();
}
