/** Putting an address on the allowlist. */
import { useState } from "react";
import { call, keyFor } from "../../api/client";
import { useMe } from "../../api/me";
import { refresh } from "../../api/query";
import { safe } from "../../lib/safe";
import { serverNow } from "../../lib/time";
import { t } from "../../locale/rooms/response";
import { Ask } from "../../widgets/ask";
import { Input, Select } from "../../widgets/field";
import { done } from "../../widgets/toast";

const HOURS = { "1h": 1, "24h": 24, "168h": 168, "720h": 720 } as const;

export function Allowing({ given = "", onClose }: { given?: string; onClose: () => void }) {
  const me = useMe()?.name ?? "";
  const [address, setAddress] = useState(given);
  const [owner, setOwner] = useState(me);
  const [ends, setEnds] = useState("");
  const [key] = useState(keyFor);
  return (
    <Ask
      open
      required
      size="medium"
      onClose={onClose}
      title={t("allow.add.title")}
      label={t("block.add.why")}
      rollback={t("allow.add.rollback")}
      verb={t("allow.add.verb")}
      off={address.trim() === ""}
      run={async (reason) => {
        const hours = HOURS[ends as keyof typeof HOURS];
        const answer = await call<{ lifted: unknown[] }>("POST", "/allowlist", {
          body: {
            address: address.trim(),
            owner: owner.trim() || undefined,
            reason,
            expires_at: hours ? new Date(serverNow() + hours * 3_600_000).toISOString() : undefined,
          },
          key,
        });
        done(t("allow.add.done", { n: answer.lifted.length, address: safe(address.trim()) }));
        refresh("/allowlist", "/blocks", "/runs");
      }}
    >
      <p>{t("allow.add.text")}</p>
      <Input
        label={t("block.add.address")}
        hint={t("block.add.hint")}
        value={address}
        maxLength={64}
        spellCheck={false}
        onChange={(event) => setAddress(event.target.value)}
      />
      <Input
        label={t("allow.add.owner")}
        value={owner}
        maxLength={128}
        onChange={(event) => setOwner(event.target.value)}
      />
      <Select
        label={t("allow.add.ends")}
        value={ends}
        onChange={(event) => setEnds(event.target.value)}
        options={[
          { value: "", label: t("allow.add.ends.never") },
          ...(Object.keys(HOURS) as (keyof typeof HOURS)[]).map((value) => ({ value, label: t(`ttl.${value}`) })),
        ]}
      />
    </Ask>
  );
}
