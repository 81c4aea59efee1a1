/** Asks before an address is kept out. */
import { useState } from "react";
import { call, keyFor } from "../../api/client";
import { refresh } from "../../api/query";
import { t } from "../../locale/rooms/attackers";
import { Confirm } from "../../widgets/dialog";
import { Input, Select } from "../../widgets/field";
import { Safe } from "../../widgets/safe";
import { done } from "../../widgets/toast";

const TTLS = ["1h", "24h", "168h"] as const;

export function BlockDialog({ address, open, onClose }: { address: string; open: boolean; onClose: () => void }) {
  const [ttl, setTtl] = useState<string>("24h");
  const [reason, setReason] = useState("");
  const [key] = useState(keyFor);
  const [times, setTimes] = useState(0);
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title={t("block.title", { address })}
      rollback={t("block.rollback")}
      verb={t("block.verb")}
      danger
      run={async () => {
        // The same key until it worked: pressing again after a lost answer blocks once.
        await call("POST", "/blocks", { body: { address, ttl, reason: reason.trim() }, key: `${key}-${times}` });
        setTimes((before) => before + 1);
        setReason("");
        done(t("block.done", { address }));
        refresh("/blocks", "/attackers");
      }}
    >
      <p>
        <Safe text={address} /> {t("block.text")}
      </p>
      <Select
        label={t("block.ttl")}
        value={ttl}
        onChange={(event) => setTtl(event.target.value)}
        options={TTLS.map((value) => ({ value, label: t(`ttl.${value}`) }))}
      />
      <Input
        label={t("block.reason")}
        hint={t("block.reason.hint")}
        value={reason}
        maxLength={500}
        onChange={(event) => setReason(event.target.value)}
      />
    </Confirm>
  );
}
