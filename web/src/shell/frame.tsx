/** What is around every room: rail, top bar, status bar; and what lies over it. */
import { Outlet, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { live, useLive } from "../api/live";
import { session } from "../api/session";
import { keymap, Opening, useKeys } from "../lib/keys";
import { useGo } from "../lib/route";
import { Store, useStore } from "../lib/store";
import { t } from "../locale/en";
import { ErrorBoundary } from "../widgets/boundary";
import { Toasts, undoLatest } from "../widgets/toast";
import { Loading } from "../widgets/views";
import { Banners } from "./banner";
import { Rail } from "./rail";
import { ROOMS } from "./rooms";
import { StatusBar } from "./status";
import { TopBar } from "./top";

const Palette = lazy(() => import("./palette"));
const KeySheet = lazy(() => import("./keysheet"));
const Expired = lazy(() => import("./expired"));
const Again = lazy(() => import("./again"));

/** Which sheet lies over the page. */
export const overlay = new Store<"none" | "palette" | "keys">("none");

export function Frame() {
  const { state, me } = useStore(session);
  // Nothing but this can be done until it is done.
  const unfinished = state === "in" && (me?.enrol === true || me?.must_change_password === true);
  const path = useRouterState({ select: (router) => router.location.pathname });
  const open = useStore(overlay);
  const [menu, setMenu] = useState(false);
  const go = useGo();
  const main = useRef<HTMLElement>(null);
  const room = ROOMS.find((entry) =>
    entry.path === "/" ? path === "/" : path === entry.path || path.startsWith(`${entry.path}/`),
  );
  const inside = !/^\/(login|first-run)(\/|$)/.test(path);
  const roomName = room?.name;

  useEffect(() => {
    const handle = (event: KeyboardEvent) => void keymap.handle(event);
    document.addEventListener("keydown", handle);
    return () => document.removeEventListener("keydown", handle);
  }, []);
  useEffect(() => {
    // What opens by a key should be there when the key is pressed.
    const timer = setTimeout(() => void import("./palette").catch(() => undefined), 1500);
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => {
    document.title = roomName ? `${t(`nav.${roomName}`)} - ${t("product")}` : t("product");
    setMenu(false);
    // The keyboard goes where the reader goes: to the list of the room, or to the room.
    const timer = setTimeout(() => {
      const active = document.activeElement;
      if (active && active !== document.body && active.closest("main, [role=dialog]")) return;
      (main.current?.querySelector<HTMLElement>("[data-keys=list]") ?? main.current)?.focus({ preventScroll: true });
    }, 60);
    return () => clearTimeout(timer);
  }, [roomName]);
  useEffect(() => {
    if (state === "out" && inside) go("/login", { to: path === "/" ? undefined : path + location.search }, true);
    if (unfinished && inside) go("/login", { to: path === "/" ? undefined : path + location.search }, true);
  }, [state, unfinished, inside, path, go]);
  useEffect(() => {
    if (state === "in") live.reconnect();
  }, [state]);

  // The bar shows how live we are, whatever room is open.
  useLive(["events", "health"], () => undefined);

  useKeys([
    {
      id: "palette",
      keys: "Ctrl k",
      label: t("key.palette"),
      group: t("keys.general"),
      anywhere: true,
      run: () => overlay.set("palette"),
    },
    {
      id: "sheet",
      keys: "?",
      label: t("key.sheet"),
      group: t("keys.general"),
      anywhere: true,
      run: () => overlay.set("keys"),
    },
    { id: "undo", keys: "z", label: t("undo"), group: t("keys.general"), run: () => void undoLatest() },
    ...ROOMS.filter((entry) => entry.go).map((entry) => ({
      id: `go.${entry.name}`,
      keys: `g ${entry.go}`,
      label: t("key.go", { room: t(`nav.${entry.name}`) }),
      group: t("palette.goto"),
      anywhere: true,
      run: () => go(entry.path),
    })),
  ]);

  if (!inside) {
    return (
      <ErrorBoundary>
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
        <Toasts />
      </ErrorBoundary>
    );
  }
  return (
    <div className={menu ? "shell rail-open" : "shell"}>
      <a className="skip" href="#main">
        {t("skip")}
      </a>
      <Rail current={roomName} />
      <TopBar
        title={roomName ? t(`nav.${roomName}`) : t("product")}
        menu={menu}
        onMenu={() => setMenu((before) => !before)}
      />
      <main className="main" id="main" ref={main} tabIndex={-1} data-keys="detail">
        <Banners />
        {state === "in" || state === "expired" ? (
          <ErrorBoundary key={roomName}>
            <div className="room">
              <Suspense fallback={<Loading />}>
                <Outlet />
              </Suspense>
            </div>
          </ErrorBoundary>
        ) : (
          <Loading />
        )}
      </main>
      <StatusBar />
      <Toasts />
      <Suspense fallback={<Opening />}>
        {open === "palette" ? <Palette /> : null}
        {open === "keys" ? <KeySheet /> : null}
        {state === "expired" ? <Expired /> : null}
        <AgainHost />
      </Suspense>
    </div>
  );
}

import { confirming } from "../api/session";

function AgainHost() {
  return useStore(confirming) ? <Again /> : null;
}
