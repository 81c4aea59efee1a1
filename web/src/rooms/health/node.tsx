/** How this node stands: its work, its firewall, its disk, its backups. */
import { useState } from "react";
import { useLive } from "../../api/live";
import { useOne } from "../../api/query";
import { bytes, number } from "../../lib/i18n";
import { t } from "../../locale/rooms/health";
import { Badge } from "../../widgets/badge";
import { Safe } from "../../widgets/safe";
import { ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";

interface Standing {
  status: "ready" | "not_ready";
  reasons: string[];
  node?: string;
  version: string;
  firewall?: {
    serving: boolean;
    intact: boolean;
    blocks: number;
    redirects: number;
    denied: number;
    detail?: string;
  };
  disks: { name: string; bytes: number; free: number }[];
  backup?: { at?: string; next?: string; running: boolean; failing: boolean; overdue: boolean };
}

interface Beat {
  position: number;
  lag: number;
}

export function Node() {
  const asked = useOne<Standing>("/standing", undefined, 15_000);
  const [beat, setBeat] = useState<Beat | null>(null);
  useLive(["health"], ({ messages }) => {
    const row = messages.at(-1)?.row as Partial<Beat> | undefined;
    if (typeof row?.position === "number" && typeof row.lag === "number")
      setBeat({ position: row.position, lag: row.lag });
  });
  if (asked.isPending) return <Loading rows={2} />;
  if (asked.error && !asked.data) return <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />;
  const row = asked.data;
  if (!row) return null;
  const wall = row.firewall;
  return (
    <dl className="health-node">
      <div>
        <dt>
          <Safe text={row.node || t("title")} className="health-words" />
        </dt>
        <dd>
          {row.status === "ready" ? (
            <span className="health-ok">{t("node.ready")}</span>
          ) : (
            <span className="work-state-bad">{t("node.not")}</span>
          )}
        </dd>
        {row.reasons.map((why) => (
          <dd key={why}>
            <Safe text={why} block className="health-words" />
          </dd>
        ))}
        <dd className="meta">
          {t("node.version", { version: row.version })}
          {beat ? ` · ${t("node.position", { n: number(beat.position) })} · ${t("node.lag", { n: beat.lag })}` : ""}
        </dd>
      </div>
      <div>
        <dt>{t("fire.title")}</dt>
        {wall === undefined ? (
          <dd className="muted">{t("fire.off")}</dd>
        ) : !wall.serving ? (
          <dd className="work-state-bad">{t("fire.down")}</dd>
        ) : wall.intact ? (
          <dd className="health-ok">
            {t("fire.ok", { blocks: number(wall.blocks), redirects: number(wall.redirects) })}
          </dd>
        ) : (
          <dd className="work-state-warn">{t("fire.broken")}</dd>
        )}
        {wall && wall.denied > 0 ? <dd className="meta">{t("fire.denied", { n: wall.denied })}</dd> : null}
        {wall?.detail ? (
          <dd>
            <Safe text={wall.detail} block className="health-words" />
          </dd>
        ) : null}
      </div>
      <div>
        <dt>{t("disk.title")}</dt>
        {row.disks.map((disk) => (
          <dd key={disk.name}>
            {t("disk.free", { free: bytes(disk.free), all: bytes(disk.bytes) })}{" "}
            {disk.free < disk.bytes / 10 ? <Badge kind="warn">{disk.name}</Badge> : null}
            <progress
              className="health-disk"
              max={disk.bytes}
              value={disk.bytes - disk.free}
              aria-label={`${t("disk.title")} ${disk.name}`}
            />
            {disk.free < disk.bytes / 10 ? <span className="meta">{t("disk.low")}</span> : null}
          </dd>
        ))}
      </div>
      <Backup row={row.backup} />
    </dl>
  );
}

function Backup({ row }: { row: Standing["backup"] }) {
  if (!row)
    return (
      <div>
        <dt>{t("backup.title")}</dt>
        <dd className="muted">{t("backup.off")}</dd>
      </div>
    );
  return (
    <div>
      <dt>{t("backup.title")}</dt>
      <dd className={row.overdue ? "work-state-bad" : undefined}>
        {row.at ? (
          <>
            {t("backup.last")} <When at={row.at} />
          </>
        ) : (
          t("backup.none")
        )}
        {row.overdue ? ` · ${t("backup.overdue")}` : ""}
      </dd>
      {row.failing ? <dd className="work-state-bad">{t("backup.failing")}</dd> : null}
      <dd className="meta">
        {row.running ? (
          t("backup.running")
        ) : row.next ? (
          <>
            {t("backup.next")} <When at={row.next} />
          </>
        ) : null}
      </dd>
    </div>
  );
}
