"use strict";
document.documentElement.classList.add("scripted");
for (const card of document.querySelectorAll("article")) {
  const stage = card.querySelector(".stage");
  const views = card.querySelectorAll(".strip img");
  const shown = { left: stage.querySelector(".under"), right: stage.querySelector(".over") };
  for (const choice of card.querySelectorAll("select")) {
    const show = () => {
      const view = views[choice.value];
      shown[choice.dataset.side].src = view.src;
      shown[choice.dataset.side].alt = view.alt;
    };
    choice.addEventListener("change", show);
    show();
  }
  const slider = stage.querySelector("input");
  slider.addEventListener("input", () => stage.style.setProperty("--at", `${slider.value}%`));
}
const order = document.getElementById("order");
if (order) {
  order.addEventListener("change", () => {
    const cards = document.querySelector(".cards");
    const rank = (card) => JSON.parse(card.dataset.ranks)[order.value] ?? -1;
    cards.append(...[...cards.children].sort((one, other) => rank(other) - rank(one)));
  });
}
