// Plays a recording inside a frame that has no origin, no storage and no network.
// What comes in is an attacker's terminal; what goes out are numbers and booleans.
(() => {
  "use strict";
  const screen = document.getElementById("screen");
  const parent = window.parent;
  let player;
  let order; // the recording that is on
  let turn = 0; // which load is the latest
  let playing = false;
  let speed = 1;

  const tell = (message) => parent.postMessage(message, "*");
  const fail = () => tell({ failed: true, playing: false });

  const report = async () => {
    if (!player) return;
    const time = await player.getCurrentTime();
    if (Number.isFinite(time)) tell({ time, playing });
  };

  // A player cannot change its speed: it is made anew at the place it was.
  const make = async (at, play) => {
    const mine = ++turn;
    if (player) player.dispose();
    player = undefined;
    playing = false;
    screen.replaceChildren();
    try {
      const made = AsciinemaPlayer.create({ data: order.cast }, screen, {
        fit: "both",
        controls: false,
        preload: true,
        speed,
        markers: order.markers,
        terminalFontFamily: "ui-monospace, 'DejaVu Sans Mono', monospace",
      });
      player = made;
      const current = (then) => () => {
        if (mine === turn) then();
      };
      made.addEventListener("playing", current(() => {
        playing = true;
        report();
      }));
      made.addEventListener("pause", current(() => {
        playing = false;
        report();
      }));
      made.addEventListener("ended", current(() => {
        playing = false;
        tell({ ended: true });
      }));
      made.addEventListener("error", current(fail));
      await made.seek(at);
      if (mine !== turn) return;
      if (play) await made.play();
      else report();
    } catch {
      if (mine === turn) fail();
    }
  };

  const obey = async (message) => {
    if (typeof message.cast === "string") {
      speed = Number.isFinite(message.speed) ? message.speed : 1;
      order = { cast: message.cast, markers: Array.isArray(message.markers) ? message.markers : [] };
      await make(Number.isFinite(message.at) ? message.at : 0, message.play === true);
      return;
    }
    if (!player) return;
    if (typeof message.seek === "number") {
      await player.seek(message.seek);
      await report();
    } else if (typeof message.speed === "number") {
      speed = message.speed;
      await make(await player.getCurrentTime(), playing);
    } else if (typeof message.play === "boolean") {
      if (message.play) await player.play();
      else await player.pause();
    }
  };

  // One after the other, so that two orders never meet half way.
  let line = Promise.resolve();
  window.addEventListener("message", (event) => {
    if (event.source !== parent || event.data === null || typeof event.data !== "object") return;
    line = line.then(() => obey(event.data)).catch(fail);
  });

  window.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Tab") return;
      event.stopImmediatePropagation();
      if (event.key === " ") {
        event.preventDefault();
        if (player) (playing ? player.pause() : player.play()).catch(fail);
      } else if (event.key === ".") tell({ step: 1 });
      else if (event.key === ",") tell({ step: -1 });
      else if (event.key === "Escape") tell({ leave: true });
    },
    true,
  );

  setInterval(() => {
    if (playing) report();
  }, 100);
  tell({ ready: true });
})();
