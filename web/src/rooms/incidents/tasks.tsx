/** What has to be done for an incident, by whom and until when. */
import { type RefObject, useState } from "react";
import { call, keyFor } from "../../api/client";
import { asProblem } from "../../api/problem";
import { refresh, useOne } from "../../api/query";
import type { Incident } from "../../api/types";
import type { Task } from "../../api/work";
import { safe } from "../../lib/safe";
import { span, useNow } from "../../lib/time";
import { t } from "../../locale/rooms/incidents";
import { Ask } from "../../widgets/ask";
import { Button } from "../../widgets/button";
import { Input } from "../../widgets/field";
import { Safe } from "../../widgets/safe";
import { Section } from "../../widgets/section";
import { done, failed } from "../../widgets/toast";
import { When } from "../../widgets/when";
import { type Change, tagOf } from "./acts";

export interface TasksProps {
  row: Incident;
  path: string;
  may: boolean;
  me: string;
  change: Change;
  field: RefObject<HTMLInputElement | null>;
}

const drafts = new Map<string, string>();

export function Tasks({ row, path, may, me, change, field }: TasksProps) {
  const tasks = row.tasks ?? [];
  const now = useNow(10_000);
  const asked = useOne<Incident>(path);
  const [title, setTitle] = useState(drafts.get(row.id) ?? "");
  const [busy, setBusy] = useState("");
  const [giving, setGiving] = useState<Task | null>(null);
  const keep = (value: string) => {
    setTitle(value);
    if (value) drafts.set(row.id, value);
    else drafts.delete(row.id);
  };
  /** Changes a task; the incident has to be seen again before the next change. */
  const work = async (task: Task, body: Record<string, unknown>) => {
    setBusy(task.id);
    try {
      await call<Task>("PATCH", `${path}/tasks/${encodeURIComponent(task.id)}`, { body, match: tagOf(row) });
      await asked.refetch();
    } catch (error) {
      change.late(error);
      throw error;
    } finally {
      setBusy("");
      refresh(`${path}/timeline`, "/incidents");
    }
  };
  const tick = (task: Task) =>
    work(task, { done: !task.done_at }).catch((error) => {
      if (!asProblem(error).conflict) failed(t("fail.task"), error, () => void tick(task));
    });
  const add = async () => {
    if (busy || title.trim() === "") return;
    setBusy("+");
    try {
      const task = await call<Task>("POST", `${path}/tasks`, { body: { title: title.trim() }, key: keyFor() });
      keep("");
      done(t("done.task", { task: safe(task.id) }));
      await asked.refetch();
      refresh(`${path}/timeline`);
    } catch (error) {
      failed(t("fail.task"), error);
    } finally {
      setBusy("");
    }
  };
  const ready = tasks.filter((task) => task.done_at).length;
  return (
    <Section title={tasks.length > 0 ? t("task.count", { done: ready, all: tasks.length }) : t("task.title")}>
      {tasks.length === 0 ? <p className="muted">{t("task.none")}</p> : null}
      <ul className="incident-tasks">
        {tasks.map((task) => (
          <li key={task.id} className="incident-task">
            <input
              type="checkbox"
              aria-label={t("task.check", { task: task.id })}
              checked={Boolean(task.done_at)}
              disabled={!may || busy !== ""}
              onChange={() => void tick(task)}
            />
            <span className={task.done_at ? "muted" : undefined}>
              <Safe text={task.title} block className="incidents-words" />
              <span className="meta incident-task-line">
                {task.done_at ? (
                  <>
                    <Safe text={task.done_by} className="incidents-words" /> <When at={task.done_at} now={now} />
                  </>
                ) : task.due_at ? (
                  Date.parse(task.due_at) < now ? (
                    <span className="work-soon">{t("task.over", { time: span(now - Date.parse(task.due_at)) })}</span>
                  ) : (
                    t("task.due", { time: span(Date.parse(task.due_at) - now) })
                  )
                ) : (
                  <Safe text={t("task.by", { who: task.by })} className="incidents-words" />
                )}
              </span>
            </span>
            <Button
              kind="quiet"
              disabled={!may || busy !== "" || Boolean(task.done_at)}
              aria-label={t("task.give", { task: task.id })}
              onClick={() => setGiving(task)}
            >
              {task.owner ? <Safe text={task.owner} className="incidents-words" /> : t("nobody")}
            </Button>
          </li>
        ))}
      </ul>
      {may ? (
        <form
          className="incident-task-new"
          onSubmit={(event) => {
            event.preventDefault();
            void add();
          }}
        >
          <input
            ref={field}
            className="input grow"
            value={title}
            maxLength={500}
            placeholder={`${t("task.new")} (+)`}
            aria-label={t("task.new")}
            onChange={(event) => keep(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === "Escape") event.currentTarget.closest("article")?.querySelector("h2")?.focus();
            }}
          />
          <Button type="submit" disabled={busy !== "" || title.trim() === ""}>
            {t("task.add")}
          </Button>
        </form>
      ) : null}
      {giving ? (
        <Give task={giving} me={me} onClose={() => setGiving(null)} onGive={(owner) => work(giving, { owner })} />
      ) : null}
    </Section>
  );
}

function Give({
  task,
  me,
  onClose,
  onGive,
}: {
  task: Task;
  me: string;
  onClose: () => void;
  onGive: (owner: string) => Promise<unknown>;
}) {
  const [owner, setOwner] = useState(task.owner ?? me);
  return (
    <Ask
      open
      bare
      onClose={onClose}
      title={t("task.give.title", { task: task.id })}
      verb={t("task.give.verb")}
      run={() => onGive(owner.trim())}
    >
      <Safe text={task.title} block className="incidents-words" />
      <Input
        label={t("task.give.label")}
        hint={t("task.give.hint")}
        value={owner}
        maxLength={128}
        onChange={(event) => setOwner(event.target.value)}
      />
    </Ask>
  );
}
