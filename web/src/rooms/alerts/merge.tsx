/** Merging the incidents of the selected alerts into one of them. */

import { useState } from "react";
import { call, keyFor } from "../../api/client";
import { refresh, useOne } from "../../api/query";
import type { Incident } from "../../api/types";
import { part } from "../../lib/route";
import { brief, safe } from "../../lib/safe";
import { t as shell } from "../../locale/en";
import { t } from "../../locale/rooms/alerts";
import { Button } from "../../widgets/button";
import { Confirm, Dialog } from "../../widgets/dialog";
import { Select } from "../../widgets/field";
import { done } from "../../widgets/toast";
import type { AlertRow } from "./row";

export default function MergeDialog({
  rows,
  onClose,
  onDone,
}: {
  rows: AlertRow[];
  onClose: () => void;
  onDone: () => void;
}) {
  const ids = [...new Set(rows.map((row) => row.incident).filter((id) => id !== ""))];
  const [into, setInto] = useState(ids[0] ?? "");
  const [key] = useState(keyFor);
  if (ids.length < 2) {
    return (
      <Dialog
        open
        size="small"
        title={t("merge.title")}
        onClose={onClose}
        foot={<Button onClick={onClose}>{shell("close")}</Button>}
      >
        <p>{t("merge.need")}</p>
      </Dialog>
    );
  }
  return (
    <Confirm
      open
      onClose={onClose}
      title={t("merge.title")}
      rollback={t("merge.rollback")}
      verb={t("merge.verb")}
      run={async () => {
        const answer = await call<{ incident: Incident }>("POST", `/incidents/${part(into)}/merge`, {
          body: { incidents: ids.filter((id) => id !== into) },
          key,
        });
        done(t("merge.done", { into: safe(answer.incident.short) }));
        refresh("/incidents", "/alerts");
        onDone();
      }}
    >
      <MergeInto ids={ids} into={into} onChange={setInto} />
    </Confirm>
  );
}

function MergeInto({ ids, into, onChange }: { ids: string[]; into: string; onChange: (id: string) => void }) {
  const chosen = useOne<Incident>(`/incidents/${part(into)}`);
  return (
    <>
      <Select
        label={t("merge.into")}
        value={into}
        onChange={(event) => onChange(event.target.value)}
        options={ids.slice(0, 50).map((value) => ({
          value,
          label: value === into && chosen.data ? `${chosen.data.short} ${brief(chosen.data.title, 60)}` : value,
        }))}
      />
      <p>{t("merge.text", { into: safe(chosen.data?.short ?? "") })}</p>
    </>
  );
}
