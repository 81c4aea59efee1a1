/** Keeping the source of an alert out for a while. */

import { useState } from "react";
import { call, keyFor } from "../../api/client";
import { refresh, useOne } from "../../api/query";
import type { Block } from "../../api/types";
import { part } from "../../lib/route";
import { brief, safe } from "../../lib/safe";
import { absolute } from "../../lib/time";
import { t } from "../../locale/rooms/alerts";
import { Confirm } from "../../widgets/dialog";
import { Input, Select } from "../../widgets/field";
import { done } from "../../widgets/toast";
import type { AlertRow } from "./row";

const TIMES = ["1h", "4h", "24h", "168h"] as const;

export default function BlockDialog({ row, onClose }: { row: AlertRow; onClose: () => void }) {
  const [ttl, setTTL] = useState<string>("24h");
  const [reason, setReason] = useState(t("block.reason.given", { short: row.short, title: brief(row.title, 160) }));
  const [key] = useState(keyFor);
  const known = useOne<{ holds: boolean; until?: string; covered_by: Block[] }>(`/blocks/${part(row.src)}`);
  return (
    <Confirm
      open
      danger
      onClose={onClose}
      title={t("block.title", { address: safe(row.src) })}
      rollback={t("block.rollback")}
      verb={t("block.verb")}
      run={async () => {
        await call("POST", "/blocks", {
          body: { address: row.src, ttl, reason, incident: row.incident || undefined },
          key,
        });
        done(t("block.done", { address: safe(row.src) }));
        refresh("/blocks", "/runs", "/incidents");
      }}
    >
      <p>{t("block.text")}</p>
      {known.data?.holds ? (
        <p className="alerts-warn">{t("block.already", { until: absolute(known.data.until) })}</p>
      ) : null}
      <Select
        label={t("block.for")}
        value={ttl}
        onChange={(event) => setTTL(event.target.value)}
        options={TIMES.map((value) => ({ value, label: t(`block.for.${value}`) }))}
      />
      <Input
        label={t("block.reason")}
        value={reason}
        maxLength={500}
        onChange={(event) => setReason(event.target.value)}
      />
    </Confirm>
  );
}
