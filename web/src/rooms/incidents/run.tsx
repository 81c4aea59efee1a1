/** Running a playbook on an incident. */
import { useState } from "react";
import { call, keyFor } from "../../api/client";
import { refresh, useList, useOne } from "../../api/query";
import type { Incident, Playbook } from "../../api/types";
import type { PlaybookText, RunDetail } from "../../api/work";
import { useGo } from "../../lib/route";
import { brief, safe } from "../../lib/safe";
import { t } from "../../locale/rooms/incidents";
import { Ask } from "../../widgets/ask";
import { Input, Select } from "../../widgets/field";
import { Safe } from "../../widgets/safe";
import { done } from "../../widgets/toast";

export default function RunDialog({ row, onClose }: { row: Incident; onClose: () => void }) {
  const go = useGo();
  const books = useList<Playbook>("/playbooks");
  const [book, setBook] = useState("");
  const [mode, setMode] = useState("");
  const [vars, setVars] = useState<Record<string, string>>({});
  const [key] = useState(keyFor);
  const text = useOne<PlaybookText>(book ? `/playbooks/${encodeURIComponent(book)}` : null);
  const inputs = text.data?.inputs ?? [];
  const lacks = inputs.some((input) => input.required && !(vars[input.name] ?? input.default));
  return (
    <Ask
      open
      onClose={onClose}
      title={t("run.title", { short: safe(row.short) })}
      rollback={t("run.rollback")}
      verb={t("run.verb")}
      danger={mode === "apply"}
      off={book === "" || lacks}
      run={async (reason) => {
        const run = await call<RunDetail>("POST", "/runs", {
          body: {
            playbook: book,
            incident: row.id,
            mode: mode || undefined,
            reason: reason || undefined,
            vars: Object.keys(vars).length > 0 ? vars : undefined,
          },
          key,
        });
        refresh("/runs", "/incidents", "/approvals");
        done(t("run.done", { short: safe(run.short) }));
        go(`/response/${encodeURIComponent(run.short)}`);
      }}
    >
      <Select
        label={t("run.book")}
        value={book}
        onChange={(event) => {
          setBook(event.target.value);
          setVars({});
        }}
        options={[
          { value: "", label: t("run.choose") },
          ...books.rows.map((one) => ({ value: one.id, label: brief(one.title, 80) })),
        ]}
      />
      {text.data?.description ? <Safe text={text.data.description} block className="muted incidents-words" /> : null}
      {inputs.map((input) =>
        input.choices?.length ? (
          <Select
            key={input.name}
            label={safe(input.title ?? input.name)}
            value={vars[input.name] ?? input.default ?? ""}
            onChange={(event) => setVars({ ...vars, [input.name]: event.target.value })}
            options={["", ...input.choices].map((value) => ({ value, label: safe(value) }))}
          />
        ) : (
          <Input
            key={input.name}
            label={safe(input.title ?? input.name)}
            hint={input.required ? t("run.input") : undefined}
            value={vars[input.name] ?? input.default ?? ""}
            maxLength={1024}
            onChange={(event) => setVars({ ...vars, [input.name]: event.target.value })}
          />
        ),
      )}
      <Select
        label={t("run.mode")}
        value={mode}
        onChange={(event) => setMode(event.target.value)}
        options={[
          { value: "", label: t("run.mode.own") },
          { value: "dry_run", label: t("run.mode.dry") },
          { value: "apply", label: t("run.mode.apply") },
        ]}
      />
    </Ask>
  );
}
