/** Search and commands: rooms, what can be done here, things by their ids. */
import { type KeyboardEvent, type ReactNode, useDeferredValue, useId, useMemo, useRef, useState } from "react";
import { useOne } from "../api/query";
import { keymap } from "../lib/keys";
import { part, useGo } from "../lib/route";
import { brief, safe } from "../lib/safe";
import { t } from "../locale/en";
import { Dialog } from "../widgets/dialog";
import { Icon } from "../widgets/icons";
import { Kbd } from "../widgets/kbd";
import { overlay } from "./frame";
import { ROOMS } from "./rooms";

interface Entry {
  id: string;
  label: ReactNode;
  text: string;
  group: string;
  icon: string;
  keys?: string;
  run: () => void;
}

/** Rooms of short ids: A-20418 is an alert. */
const SHORT: [RegExp, string][] = [
  [/^A-\d+$/i, "/alerts"],
  [/^I-\d+$/i, "/incidents"],
  [/^S-[0-9a-z]+$/i, "/sessions"],
  [/^HT-\d+$/i, "/tokens"],
  [/^[PR]-\d+$/i, "/response"],
];

/** What search answers, of which only these are used. */
interface Found {
  groups?: { kind: string; hits: { id: string; short?: string; title: string; sub?: string; exact?: boolean }[] }[];
}
const PLACES: Record<string, string> = {
  alert: "/alerts",
  incident: "/incidents",
  session: "/sessions",
  attacker: "/attackers",
  token: "/tokens",
  honeytoken: "/tokens",
  run: "/response",
  block: "/response",
  playbook: "/response",
  rule: "/rules",
  sensor: "/sensors",
};

export default function Palette() {
  const go = useGo();
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const words = useDeferredValue(typed.trim());
  const field = useRef<HTMLInputElement>(null);
  const list = useId();
  const found = useOne<Found>(words.length >= 2 ? "/search" : null, { q: words });
  const close = () => overlay.set("none");
  const entries = useMemo(() => {
    const all: Entry[] = [];
    const needle = words.toLowerCase();
    for (const [shape, place] of SHORT) {
      if (shape.test(words)) {
        all.push({
          id: "id",
          group: t("palette.found"),
          icon: "forward",
          label: t("palette.open", { what: words.toUpperCase() }),
          text: words,
          run: () => go(`${place}/${words.toUpperCase()}`),
        });
      }
    }
    if (/^[0-9a-f.:]+$/i.test(words) && /[.:]/.test(words) && words.length > 3) {
      all.push({
        id: "ip",
        group: t("palette.found"),
        icon: "attackers",
        label: t("palette.open", { what: words }),
        text: words,
        run: () => go(`/attackers/${part(words)}`),
      });
      all.push({
        id: "ipalerts",
        group: t("palette.found"),
        icon: "alerts",
        label: t("palette.alertsOf", { what: words }),
        text: words,
        run: () => go("/alerts", { src: words }),
      });
    }
    for (const group of found.data?.groups ?? []) {
      const place = PLACES[group.kind];
      if (!place) continue;
      for (const hit of group.hits.slice(0, 4)) {
        const name = hit.short || hit.id;
        if (all.some((entry) => entry.text === name)) continue;
        const shown = [hit.short, hit.title, hit.sub].filter(Boolean).map((text) => brief(text, 80));
        all.push({
          id: `found ${group.kind} ${hit.id}`,
          group: t("palette.found"),
          icon: place.slice(1),
          text: name,
          label: shown.join("  "),
          run: () => go(`${place}/${part(name)}`),
        });
      }
    }
    for (const room of ROOMS) {
      const label = t(`nav.${room.name}`);
      all.push({
        id: room.name,
        group: t("palette.goto"),
        icon: room.name,
        label,
        text: label,
        keys: room.go ? `g ${room.go}` : undefined,
        run: () => go(room.path),
      });
    }
    for (const binding of keymap.list()) {
      if (binding.id.startsWith("go.") || binding.id === "palette" || binding.off) continue;
      all.push({
        id: `act ${binding.id}`,
        group: t("palette.actions"),
        icon: "forward",
        label: binding.label,
        text: binding.label,
        keys: keymap.keysOf(binding)[0],
        run: () => binding.run(new KeyboardEvent("keydown")),
      });
    }
    const kept = all.filter((entry) => entry.group === t("palette.found") || entry.text.toLowerCase().includes(needle));
    if (words !== "")
      kept.push({
        id: "hunt",
        group: t("palette.found"),
        icon: "hunt",
        label: t("palette.hunt", { what: safe(words) }),
        text: words,
        run: () => go("/hunt", { q: words }),
      });
    return kept;
  }, [words, found.data, go]);
  const chosen = Math.min(at, entries.length - 1);
  const run = (entry: Entry | undefined) => {
    if (!entry) return;
    close();
    setTimeout(entry.run, 0); // after the focus is back where it was
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const next = (chosen + (event.key === "ArrowDown" ? 1 : -1) + entries.length) % Math.max(1, entries.length);
      setAt(next);
      document.getElementById(`${list}-${next}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(entries[chosen]);
    }
  };
  return (
    <Dialog open title={t("palette.title")} onClose={close} first={field}>
      <input
        ref={field}
        className="input palette-input"
        role="combobox"
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={entries.length > 0 ? `${list}-${chosen}` : undefined}
        aria-label={t("palette.title")}
        placeholder={t("palette.placeholder")}
        value={typed}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(0);
        }}
        onFocus={() => setTyped((before) => before + keymap.takeEarly())}
        onKeyDown={keys}
      />
      <div className="palette-list" role="listbox" id={list} aria-label={t("palette.title")}>
        {entries.length === 0 ? <p className="muted panel">{t("palette.none")}</p> : null}
        {entries.map((entry, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled by the field
          <div
            key={entry.id}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === chosen}
            className="palette-item"
            onClick={() => run(entry)}
            onPointerMove={() => setAt(index)}
          >
            <Icon name={entry.icon} />
            <span className="grow cut">{entry.label}</span>
            <span className="meta">{entry.group}</span>
            {entry.keys ? <Kbd keys={entry.keys} /> : null}
          </div>
        ))}
      </div>
    </Dialog>
  );
}
