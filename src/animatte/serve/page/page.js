"use strict";
// Photos in a list; each is sent once, and what comes back is put on a background here.

const byId = (id) => document.getElementById(id);
const photos = [];
let current = null;
let backgroundPicture = null;
let waiting = Promise.resolve();

class Photo {
  constructor(file) {
    this.file = file;
    this.name = file.name || "pasted.png";
    this.address = URL.createObjectURL(file);
    this.state = "waiting";
    this.cutout = null;
    this.blurred = null;
    this.problem = "";
    this.finished = "";
  }
  get outputName() {
    const stem = this.name.replace(/\.[^.]*$/, "") || "photo";
    return stem + (ground() === "none" ? ".cutout.png" : ".composite.png");
  }
}

const ground = () => document.querySelector("input[name=ground]:checked").value;

async function sent(photo, query = "") {
  for (let attempt = 0; ; attempt += 1) {
    const answer = await fetch("/v1/cutout" + query, {
      method: "POST",
      headers: { "Content-Type": photo.file.type.startsWith("image/") ? photo.file.type : "application/octet-stream" },
      body: photo.file,
    });
    if (answer.status === 503 && attempt < 30) {
      await new Promise((wake) => setTimeout(wake, 1000 * Number(answer.headers.get("Retry-After") || 2)));
      continue;
    }
    if (!answer.ok) {
      const said = await answer.json().catch(() => ({}));
      throw new Error(said.error || `the server answered ${answer.status}`);
    }
    photo.empty = answer.headers.get("X-Animatte-Empty") === "true";
    photo.review = answer.headers.get("X-Animatte-Review") === "true";
    return createImageBitmap(await answer.blob());
  }
}

async function cut(photo) {
  if (!photos.includes(photo)) return;
  photo.state = "working";
  show();
  try {
    photo.cutout = await sent(photo);
    photo.state = "done";
    say(photo.empty ? `${photo.name}: no animal found`
      : `${photo.name} is cut out${photo.review ? ", but needs review" : ""}`);
  } catch (error) {
    photo.state = "failed";
    photo.problem = error instanceof TypeError ? "the server cannot be reached" : error.message;
    say(`${photo.name} failed`);
  }
  show();
}

function add(files) {
  const added = [...files].map((file) => new Photo(file));
  if (!added.length) return;
  photos.push(...added);
  current = added[0];
  // One after the other, so that a long list leaves room in the server's queue.
  for (const photo of added) waiting = waiting.then(() => cut(photo));
  say(added.length === 1 ? `${added[0].name} is sent` : `${added.length} photos are sent`);
  show();
}

const say = (text) => { byId("status").textContent = text; };
const WORDS = { waiting: "waits", working: "being cut …", done: "done", failed: "failed" };

function listItem(photo) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  const image = document.createElement("img");
  const text = document.createElement("span");
  const state = document.createElement("small");
  image.src = photo.address;
  image.alt = "";
  image.addEventListener("error", () => { image.hidden = true; });
  state.textContent = photo.state !== "done" ? WORDS[photo.state]
    : photo.empty ? "no animal" : photo.review ? "needs review" : WORDS.done;
  text.append(photo.name, state);
  button.type = "button";
  button.setAttribute("aria-current", String(photo === current));
  button.append(image, text);
  button.addEventListener("click", () => { current = photo; show(); focusCurrent(); });
  item.append(button);
  return item;
}

const focusCurrent = () => document.querySelector("#list [aria-current=true]")?.focus();

async function drawn(photo) {
  const canvas = document.createElement("canvas");
  const { width, height } = photo.cutout;
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d");
  const kind = ground();
  if (kind === "colour") {
    pen.fillStyle = byId("colour").value;
    pen.fillRect(0, 0, width, height);
  } else if (kind === "picture" && backgroundPicture) {
    const scale = Math.max(width / backgroundPicture.width, height / backgroundPicture.height);
    const [w, h] = [backgroundPicture.width * scale, backgroundPicture.height * scale];
    pen.drawImage(backgroundPicture, (width - w) / 2, (height - h) / 2, w, h);
  } else if (kind === "blur") {
    photo.blurred ??= await sent(photo, "?background=blur");
    pen.drawImage(photo.blurred, 0, 0);
    return canvas;
  }
  pen.drawImage(photo.cutout, 0, 0);
  return canvas;
}

const blobOf = (canvas) => new Promise((done) => canvas.toBlob(done, "image/png"));

let turn = 0;
async function show() {
  const mine = (turn += 1);
  byId("work").hidden = !photos.length;
  byId("all").hidden = photos.filter((photo) => photo.state === "done").length < 2;
  byId("list").replaceChildren(...photos.map(listItem));
  if (!current) return;
  const photo = current;
  byId("problem").hidden = photo.state !== "failed";
  byId("problem").textContent = photo.problem;
  byId("stage").hidden = photo.state === "failed";
  if (byId("before").src !== photo.address) byId("before").src = photo.address;
  const download = byId("download");
  download.setAttribute("aria-disabled", "true");
  download.removeAttribute("href");
  download.removeAttribute("download");
  if (photo.state !== "done") {
    const before = byId("before");
    await before.decode().catch(() => {});
    if (mine !== turn) return;
    byId("after").width = before.naturalWidth || 640;
    byId("after").height = before.naturalHeight || 480;
    setCut(100);
    return;
  }
  let canvas;
  try {
    canvas = await drawn(photo);
  } catch (error) {
    say(error.message);
    return;
  }
  if (mine !== turn) return;
  const after = byId("after");
  after.width = canvas.width;
  after.height = canvas.height;
  after.getContext("2d").drawImage(canvas, 0, 0);
  setCut(byId("slider").value);
  const blob = await blobOf(canvas);
  if (mine !== turn) return;
  if (photo.finished) URL.revokeObjectURL(photo.finished);
  photo.finished = URL.createObjectURL(blob);
  download.href = photo.finished;
  download.download = photo.outputName;
  download.setAttribute("aria-disabled", "false");
}

const setCut = (percent) => byId("stage").style.setProperty("--cut", `${percent}%`);

function saved(address, name) {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
}

async function saveAll() {
  for (const photo of photos.filter((each) => each.state === "done")) {
    const address = URL.createObjectURL(await blobOf(await drawn(photo)));
    saved(address, photo.outputName);
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  }
}

function remove() {
  if (!current) return;
  const index = photos.indexOf(current);
  URL.revokeObjectURL(current.address);
  photos.splice(index, 1);
  current = photos[Math.min(index, photos.length - 1)] || null;
  say("removed");
  show();
  if (current) focusCurrent(); else byId("files").focus();
}

byId("files").addEventListener("change", (event) => {
  add(event.target.files);
  event.target.value = "";
});
const drop = byId("drop");
document.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
document.addEventListener("dragleave", () => drop.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  add(event.dataTransfer.files);
});
document.addEventListener("paste", (event) => add(event.clipboardData.files));
byId("slider").addEventListener("input", (event) => setCut(event.target.value));
byId("controls").addEventListener("submit", (event) => event.preventDefault());
for (const radio of document.querySelectorAll("input[name=ground]")) radio.addEventListener("change", show);
byId("colour").addEventListener("input", () => {
  document.querySelector("input[value=colour]").checked = true;
  show();
});
byId("picture").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  try {
    backgroundPicture = await createImageBitmap(file);
    document.querySelector("input[value=picture]").checked = true;
  } catch {
    say(`${file.name} is no picture this browser can read`);
  }
  show();
});
byId("download").addEventListener("click", (event) => {
  if (event.currentTarget.getAttribute("aria-disabled") === "true") event.preventDefault();
});
byId("all").addEventListener("click", saveAll);
byId("remove").addEventListener("click", remove);
