/** What happened in an incident, by two clocks: when it happened, and when it became known here. */
import { type RefObject, useState } from "react";
import { call } from "../../api/client";
import { refresh, useList } from "../../api/query";
import type { Incident } from "../../api/types";
import type { TimelineEntry } from "../../api/work";
import { useQueryState } from "../../lib/route";
import { absolute, clockTime, day, duration } from "../../lib/time";
import { t } from "../../locale/rooms/incidents";
import { Button } from "../../widgets/button";
import { TextArea } from "../../widgets/field";
import { Go } from "../../widgets/go";
import { Menu } from "../../widgets/menu";
import { Safe } from "../../widgets/safe";
import { Section } from "../../widgets/section";
import { done, failed } from "../../widgets/toast";
import { ErrorView, Loading } from "../../widgets/views";

const KINDS = [
  "alert",
  "session",
  "token",
  "comment",
  "task",
  "phase",
  "owner",
  "verdict",
  "run",
  "act",
  "evidence",
  "merge",
  "escalation",
] as const;

/** What was typed and not sent, by incident: leaving the page loses nothing. */
const drafts = new Map<string, string>();

const ROOM: Record<string, string> = {
  alert: "/alerts",
  session: "/sessions",
  token: "/tokens",
  run: "/response",
  merge: "/incidents",
};

export function Timeline({
  row,
  path,
  may,
  field,
}: {
  row: Incident;
  path: string;
  may: boolean;
  field: RefObject<HTMLTextAreaElement | null>;
}) {
  const [query, setQuery] = useQueryState();
  const kinds = (query.kinds ?? "").split(",").filter(Boolean);
  const oldest = query.order === "oldest";
  const list = useList<TimelineEntry>(
    `${path}/timeline`,
    { kind: query.kinds, order: oldest ? "oldest" : undefined },
    { limit: 50 },
  );
  const flip = (kind: string) => {
    const next = kinds.includes(kind) ? kinds.filter((one) => one !== kind) : [...kinds, kind];
    setQuery({ kinds: next.join(",") || undefined });
  };
  let before = "";
  return (
    <Section
      title={t("time.title")}
      actions={
        <>
          <Menu
            trigger={
              <Button>
                {t("time.filter")}: {kinds.length === 0 ? t("time.all") : kinds.length} ▾
              </Button>
            }
            entries={[
              {
                id: "all",
                label: t("time.all"),
                checked: kinds.length === 0,
                run: () => setQuery({ kinds: undefined }),
              },
              ...KINDS.map((kind, at) => ({
                id: kind,
                line: at === 0,
                label: t(`kind.${kind}`),
                checked: kinds.includes(kind),
                run: () => flip(kind),
              })),
            ]}
          />
          <Button pressed={oldest} onClick={() => setQuery({ order: oldest ? undefined : "oldest" })}>
            {t("time.oldest")}
          </Button>
        </>
      }
    >
      {may ? <CommentField row={row} path={path} field={field} /> : null}
      {list.loading ? (
        <Loading rows={6} />
      ) : list.error ? (
        <ErrorView error={list.error} onRetry={list.again} />
      ) : list.rows.length === 0 ? (
        <p className="muted">{t("time.empty")}</p>
      ) : (
        <table className="incident-time" aria-label={t("time.title")}>
          <thead>
            <tr>
              <th scope="col" title={t("time.help")}>
                {t("time.event")}
              </th>
              <th scope="col" title={t("time.help")}>
                {t("time.found")}
              </th>
              <th scope="col">{t("time.what")}</th>
            </tr>
          </thead>
          <tbody>
            {list.rows.map((entry) => {
              const date = day(entry.at);
              const first = date !== before;
              before = date;
              return <Entry key={entry.id} entry={entry} date={first ? date : ""} />;
            })}
          </tbody>
        </table>
      )}
      {list.hasMore ? (
        <Button busy={list.loadingMore} onClick={list.more}>
          {oldest ? t("time.more.later") : t("time.more")}
        </Button>
      ) : null}
    </Section>
  );
}

function Entry({ entry, date }: { entry: TimelineEntry; date: string }) {
  const late = Date.parse(entry.seen_at) - Date.parse(entry.at);
  const room = entry.ref ? ROOM[entry.kind] : undefined;
  return (
    <>
      {date ? (
        <tr className="incident-day">
          <th scope="rowgroup" colSpan={3}>
            {date}
          </th>
        </tr>
      ) : null}
      <tr>
        <td className="mono" title={absolute(entry.at)}>
          {clockTime(entry.at)}
        </td>
        <td className="mono muted" title={absolute(entry.seen_at)}>
          {late > 60_000 ? (
            <span className="work-soon">{t("time.later", { time: duration(late) })}</span>
          ) : late > 1000 ? (
            clockTime(entry.seen_at)
          ) : (
            "·"
          )}
        </td>
        <td className="incident-what-cell">
          <div className="incident-what">
            <span className="meta incident-kind">
              {(KINDS as readonly string[]).includes(entry.kind) ? t(`kind.${entry.kind as "alert"}`) : entry.kind}
            </span>
            {room && entry.ref ? (
              <Go path={`${room}/${encodeURIComponent(entry.ref)}`}>
                <Safe text={entry.text} block className="incidents-words" />
              </Go>
            ) : (
              <Safe text={entry.text} block className="incidents-words" />
            )}
            <Safe text={entry.by} block className="muted" />
          </div>
        </td>
      </tr>
    </>
  );
}

function CommentField({
  row,
  path,
  field,
}: {
  row: Incident;
  path: string;
  field: RefObject<HTMLTextAreaElement | null>;
}) {
  const [text, setText] = useState(drafts.get(row.id) ?? "");
  const [busy, setBusy] = useState(false);
  const keep = (value: string) => {
    setText(value);
    if (value) drafts.set(row.id, value);
    else drafts.delete(row.id);
  };
  const send = async () => {
    if (busy || text.trim() === "") return;
    setBusy(true);
    try {
      await call("POST", `${path}/comments`, { body: { text: text.trim() } });
      keep("");
      done(t("done.comment"));
      refresh(path);
    } catch (error) {
      failed(t("fail.comment"), error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="incident-comment"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <TextArea
        ref={field}
        label={<span className="sr">{t("comment.label")}</span>}
        placeholder={`${t("comment.label")} (c)`}
        title={t("comment.hint")}
        rows={1}
        maxLength={4000}
        value={text}
        onChange={(event) => keep(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void send();
          if (event.key === "Escape") event.currentTarget.closest<HTMLElement>("article")?.querySelector("h2")?.focus();
        }}
      />
      <Button type="submit" keys="Ctrl ⏎" busy={busy} disabled={busy || text.trim() === ""}>
        {t("comment.send")}
      </Button>
    </form>
  );
}
