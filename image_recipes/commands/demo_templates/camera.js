const video = element.querySelector("video");
// page.css shows what belongs to a state: none, ready, refused or live
const show = state => element.querySelector("video").parentElement.dataset.state = state;

async function look() {
  // asks nobody for permission: without it, a browser says no more than that there is a camera
  const devices = navigator.mediaDevices ? await navigator.mediaDevices.enumerateDevices() : [];
  show(devices.some(device => device.kind === "videoinput") ? "ready" : "none");
}

element.querySelector(".start").addEventListener("click", async () => {
  try {
    // of a phone's cameras the one that looks away from its owner
    video.srcObject = await navigator.mediaDevices.getUserMedia({video: {facingMode: "environment"}});
    show("live");
  } catch {
    show("refused");
  }
});
element.querySelector(".take").addEventListener("click", () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d").drawImage(video, 0, 0);
  props.value = canvas.toDataURL();
  trigger("change");
});
element.querySelector(".stop").addEventListener("click", () => {
  video.srcObject.getTracks().forEach(track => track.stop());
  show("ready");
});
look();
