/** The top bar: where we are, search and commands, whether it is live, who we are. */
import { useEffect, useState } from "react";
import { connection } from "../api/connection";
import { logout, useMe } from "../api/me";
import { number } from "../lib/i18n";
import { prefer, usePreferences } from "../lib/preferences";
import { useGo } from "../lib/route";
import { useStore } from "../lib/store";
import { t } from "../locale/en";
import { IconButton } from "../widgets/button";
import { Icon } from "../widgets/icons";
import { Kbd } from "../widgets/kbd";
import { Menu } from "../widgets/menu";
import { Safe } from "../widgets/safe";
import { topSlot } from "../widgets/slot";
import { overlay } from "./frame";

export function TopBar({ title, menu, onMenu }: { title: string; menu: boolean; onMenu: () => void }) {
  const me = useMe();
  const chosen = usePreferences();
  const { stream, rate } = useStore(connection);
  const go = useGo();
  const [slot, setSlot] = useState<HTMLElement | null>(null);
  useEffect(() => topSlot.set(slot), [slot]);
  return (
    <header className="top">
      <IconButton
        className="rail-toggle"
        label={t("nav.open")}
        aria-expanded={menu}
        onClick={onMenu}
        icon={<Icon name="menu" />}
      />
      <h1>{title}</h1>
      <div className="top-slot" ref={setSlot} />
      <button type="button" className="top-command" onClick={() => overlay.set("palette")}>
        <span className="cut top-words">{t("top.command")}</span>
        <span className="top-glass">
          <Icon name="search" />
        </span>
        <Kbd keys="Ctrl K" />
      </button>
      <span className={`top-live status-${stream}`}>
        <span className="status-dot" aria-hidden="true" />
        <span className="live-text">
          {stream === "connected"
            ? t("status.rate", { rate: number(rate, { maximumFractionDigits: 1 }) })
            : t(`status.${stream}`)}
        </span>
      </span>
      <Menu
        trigger={
          <IconButton label={t("top.user", { name: me?.display || me?.name || "" })} icon={<Icon name="user" />} />
        }
        head={
          <>
            <Safe text={me?.display || me?.name} />
            <div className="meta">{t("user.role", { role: me?.role ?? "" })}</div>
          </>
        }
        entries={[
          ...(["system", "dark", "light"] as const).map((theme) => ({
            id: theme,
            label: `${t("view.theme")}: ${t(`view.${theme}`)}`,
            checked: chosen.theme === theme,
            run: () => prefer({ theme }),
          })),
          {
            id: "contrast",
            line: true,
            label: t("view.contrast"),
            checked: chosen.contrast === "more",
            run: () => prefer({ contrast: chosen.contrast === "more" ? "system" : "more" }),
          },
          {
            id: "density",
            label: `${t("view.density")}: ${t("view.cosy")}`,
            checked: chosen.density === "cosy",
            run: () => prefer({ density: chosen.density === "cosy" ? "compact" : "cosy" }),
          },
          {
            id: "zone",
            label: `${t("view.zone")}: ${t("view.utc")}`,
            checked: chosen.zone === "utc",
            run: () => prefer({ zone: chosen.zone === "utc" ? "local" : "utc" }),
          },
          {
            id: "keys",
            label: t("view.keys"),
            checked: chosen.keys.on,
            run: () => prefer({ keys: { ...chosen.keys, on: !chosen.keys.on } }),
          },
          { id: "settings", line: true, label: t("user.settings"), run: () => go("/settings/me") },
          { id: "out", label: t("user.out"), off: me?.kind !== "user", run: () => void logout() },
        ]}
      />
    </header>
  );
}
