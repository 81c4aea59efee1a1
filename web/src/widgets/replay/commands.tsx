/** The commands of a session; the one that is on the screen is marked, and kept in view while nobody points at the list. */
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { cx } from "../../lib/cx";
import { s } from "../../locale/rooms/scenes";
import { CopyButton } from "../copy";
import { Safe } from "../safe";
import { type Command, clock, commandAt } from "./markers";

export interface CommandsProps {
  commands: readonly Command[];
  /** The place in the recording, in its seconds; undefined without one. */
  at?: number;
  onSeek?: (at: number) => void;
  /** Words to find. */
  filter: string;
  copyWhat: string;
  onTechnique?: (id: string) => void;
}

/** A moment before a command is done: there it is on the screen, and not run yet. */
const BEFORE = 0.12;

export function Commands({ commands, at, onSeek, filter, copyWhat, onTechnique }: CommandsProps) {
  const list = useRef<HTMLOListElement>(null);
  const [over, setOver] = useState(false);
  const current = at === undefined ? -1 : commandAt(commands, at);
  const words = filter.trim().toLowerCase();
  const shown = useMemo(
    () =>
      commands
        .map((command, index) => ({ command, index }))
        .filter(
          ({ command }) =>
            words === "" ||
            command.text.toLowerCase().includes(words) ||
            command.techniques.some((id) => id.toLowerCase().startsWith(words)),
        ),
    [commands, words],
  );
  useEffect(() => {
    if (over || current < 0) return;
    const holder = list.current;
    const item = holder?.querySelector<HTMLElement>(`[data-at="${current}"]`);
    if (!holder || !item || holder.contains(document.activeElement)) return;
    const top = item.offsetTop - holder.offsetTop;
    if (top < holder.scrollTop) holder.scrollTop = top - 8;
    else if (top + item.offsetHeight > holder.scrollTop + holder.clientHeight)
      holder.scrollTop = top + item.offsetHeight - holder.clientHeight + 8;
  }, [current, over]);
  if (commands.length === 0) return <p className="commands-none muted">{s("commands.none")}</p>;
  if (shown.length === 0) return <p className="commands-none muted">{s("commands.match")}</p>;
  const keys = (event: KeyboardEvent) => {
    const by =
      event.key === "ArrowDown" || event.key === "j" ? 1 : event.key === "ArrowUp" || event.key === "k" ? -1 : 0;
    if (by === 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = [...(list.current?.querySelectorAll<HTMLElement>(".command-go") ?? [])];
    const next = all[all.indexOf(document.activeElement as HTMLElement) + by];
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    next.focus();
  };
  return (
    <ol
      className="commands"
      ref={list}
      data-keys="list"
      onKeyDown={keys}
      onPointerEnter={() => setOver(true)}
      onPointerLeave={() => setOver(false)}
    >
      {shown.map(({ command, index }) => (
        <li
          key={command.id}
          data-at={index}
          className={cx("command", index === current && "command-on")}
          aria-current={index === current ? "step" : undefined}
        >
          <button
            type="button"
            className="command-go"
            disabled={!onSeek}
            onClick={() => onSeek?.(Math.max(0, command.at - BEFORE))}
          >
            <span className="mono muted">{clock(command.at)}</span>
            <Safe text={command.text} block />
          </button>
          <span className="command-marks">
            {command.techniques.map((id) =>
              onTechnique ? (
                <button type="button" key={id} className="technique" onClick={() => onTechnique(id)}>
                  {id}
                </button>
              ) : (
                <span key={id} className="technique">
                  {id}
                </span>
              ),
            )}
            {command.status ? <span className="meta">{s("commands.status", { n: command.status })}</span> : null}
          </span>
          <CopyButton text={command.text} what={copyWhat} />
        </li>
      ))}
    </ol>
  );
}
