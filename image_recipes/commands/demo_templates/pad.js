const canvas = element.querySelector("canvas");
const ink = canvas.getContext("2d");

function clear() {
  ink.fillStyle = "black";
  ink.fillRect(0, 0, canvas.width, canvas.height);
}

function draw(event) {
  // the page may show the canvas smaller than it is
  const place = canvas.getBoundingClientRect(), scale = canvas.width / place.width;
  ink.lineTo((event.clientX - place.left) * scale, (event.clientY - place.top) * scale);
  ink.stroke();
}

function answer(drawing) {
  props.value = drawing;
  trigger("change");
}

canvas.addEventListener("pointerdown", event => {
  canvas.setPointerCapture(event.pointerId);
  Object.assign(ink, {strokeStyle: "white", lineWidth: 22, lineCap: "round", lineJoin: "round"});
  ink.beginPath();
  draw(event);
});
canvas.addEventListener("pointermove", event => {
  if (canvas.hasPointerCapture(event.pointerId)) draw(event);
});
canvas.addEventListener("pointerup", () => answer(canvas.toDataURL()));
element.querySelector("button").addEventListener("click", () => {
  clear();
  answer("");
});
clear();
