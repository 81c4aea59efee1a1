/** Starting a playbook on the incident of an alert. */

import { useState } from "react";
import { call, keyFor } from "../../api/client";
import { refresh, useOne } from "../../api/query";
import type { Incident, Playbook, Run } from "../../api/types";
import { part } from "../../lib/route";
import { safe } from "../../lib/safe";
import { t } from "../../locale/rooms/alerts";
import { Confirm } from "../../widgets/dialog";
import { Select } from "../../widgets/field";
import { done } from "../../widgets/toast";

export default function RunDialog({
  book,
  incident,
  onClose,
}: {
  book: Playbook;
  incident: string;
  onClose: () => void;
}) {
  const [mode, setMode] = useState("dry_run");
  const [key] = useState(keyFor);
  const of = useOne<Incident>(`/incidents/${part(incident)}`);
  return (
    <Confirm
      open
      onClose={onClose}
      title={t("run.title", { playbook: safe(book.title) })}
      rollback={t("run.rollback")}
      verb={t("run.verb")}
      danger={mode === "apply"}
      run={async () => {
        const run = await call<Run>("POST", "/runs", { body: { playbook: book.id, incident, mode }, key });
        done(t("run.done", { short: safe(run.short) }));
        refresh("/runs", "/incidents", "/playbooks");
      }}
    >
      <p>{t("run.text", { incident: safe(of.data?.short ?? "") })}</p>
      {book.description ? <p className="muted">{book.description}</p> : null}
      <Select
        label={t("run.mode")}
        value={mode}
        onChange={(event) => setMode(event.target.value)}
        options={[
          { value: "dry_run", label: t("run.dry") },
          { value: "apply", label: t("run.apply") },
        ]}
      />
    </Confirm>
  );
}
