/** The stop switch, where everybody who responds sees it. */
import { useState } from "react";
import { call, keyFor } from "../../api/client";
import { useHalt } from "../../api/halt";
import { useMay } from "../../api/me";
import { refresh } from "../../api/query";
import { useKeys } from "../../lib/keys";
import { ago, useNow } from "../../lib/time";
import { t } from "../../locale/rooms/response";
import { Ask } from "../../widgets/ask";
import { Button } from "../../widgets/button";
import { Safe } from "../../widgets/safe";
import { done } from "../../widgets/toast";

export function Halt() {
  const state = useHalt();
  const may = { halt: useMay("halt"), resume: useMay("resume") };
  const [open, setOpen] = useState(false);
  const now = useNow(10_000);
  const on = state?.on ?? false;
  const allowed = on ? may.resume : may.halt;
  useKeys([
    {
      id: "response.halt",
      keys: "Shift h",
      label: t(on ? "halt.resume" : "halt.stop"),
      group: t("title"),
      off: !allowed || !state,
      run: () => setOpen(true),
    },
  ]);
  return (
    <div className={on ? "response-halt response-halted" : "response-halt"} data-keys="detail">
      <span className="grow response-words">
        {on ? (
          <>
            <b>{t("halt.on.short")}.</b>{" "}
            <Safe
              block
              text={t("halt.on", {
                who: state?.by ?? "",
                time: state?.at ? ago(state.at, now) : "",
                why: state?.why ?? "",
              })}
            />
          </>
        ) : (
          <span className="muted">{t("halt.off")}</span>
        )}
      </span>
      <Button
        kind={on ? "primary" : "danger"}
        keys="H"
        disabled={!allowed || !state}
        title={on && !may.resume ? t("halt.may") : undefined}
        onClick={() => setOpen(true)}
      >
        {t(on ? "halt.resume" : "halt.stop")}
      </Button>
      {open ? (
        <Ask
          open
          danger={!on}
          required={!on}
          onClose={() => setOpen(false)}
          title={t(on ? "halt.resume.title" : "halt.stop.title")}
          rollback={t(on ? "halt.resume.rollback" : "halt.stop.rollback")}
          verb={t(on ? "halt.resume" : "halt.stop")}
          run={async (reason) => {
            if (on) await call("DELETE", "/halt", { query: { reason } });
            else await call("POST", "/halt", { body: { reason: reason || undefined }, key: keyFor() });
            done(t(on ? "halt.resumed" : "halt.stopped"));
            refresh("/halt", "/runs", "/approvals");
          }}
        >
          <p>{t(on ? "halt.resume.text" : "halt.stop.text")}</p>
        </Ask>
      ) : null}
    </div>
  );
}
