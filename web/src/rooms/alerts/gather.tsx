/** Putting alerts into an incident: one that is open, or a new one. */
import { useState } from "react";
import { call, keyFor } from "../../api/client";
import { refresh, useOne } from "../../api/query";
import type { Incident, Page } from "../../api/types";
import { brief, safe } from "../../lib/safe";
import { t } from "../../locale/rooms/alerts";
import { Confirm } from "../../widgets/dialog";
import { Input, Select } from "../../widgets/field";
import { done } from "../../widgets/toast";
import type { Target } from "./acts";

export default function GatherDialog({
  target,
  onClose,
  onDone,
}: {
  target: Target;
  onClose: () => void;
  onDone: (incident: Incident) => void;
}) {
  const open = useOne<Page<Incident>>("/incidents", { status: "new,in_progress,on_hold", limit: 100 });
  const [into, setInto] = useState("");
  const [title, setTitle] = useState("");
  const [reason, setReason] = useState("");
  const [key] = useState(keyFor);
  const n = target.all?.count ?? target.ids.length;
  return (
    <Confirm
      open
      onClose={onClose}
      title={t("gather.title", { n })}
      rollback={t("gather.rollback")}
      verb={t("gather.verb")}
      run={async () => {
        const answer = await call<{ incident: Incident; changed: number }>("POST", "/alerts/incident", {
          body: {
            ...(target.all ? { filter: target.all.filter, expected_count: target.all.count } : { ids: target.ids }),
            incident: into || undefined,
            title: into ? undefined : title || undefined,
            reason: reason || undefined,
          },
          key,
        });
        done(t("gather.done", { n: answer.changed, into: safe(answer.incident.short) }));
        refresh("/incidents", "/alerts");
        onDone(answer.incident);
      }}
    >
      <Select
        label={t("gather.into")}
        value={into}
        onChange={(event) => setInto(event.target.value)}
        options={[
          { value: "", label: t("gather.new") },
          ...(open.data?.items ?? []).map((one) => ({
            value: one.short,
            label: `${one.short}  ${brief(one.title, 70)}`,
          })),
        ]}
      />
      {into === "" ? (
        <Input
          label={t("gather.name")}
          value={title}
          maxLength={500}
          onChange={(event) => setTitle(event.target.value)}
        />
      ) : null}
      <Input
        label={t("gather.reason")}
        value={reason}
        maxLength={1000}
        onChange={(event) => setReason(event.target.value)}
      />
    </Confirm>
  );
}
