/** The session ended while a page was open: sign in over it, and nothing on it is lost. */
import { lazy, Suspense } from "react";
import { signedOut } from "../api/session";
import { t } from "../locale/en";
import { Button } from "../widgets/button";
import { Dialog } from "../widgets/dialog";
import { Loading } from "../widgets/views";

const SignIn = lazy(() => import("../rooms/login/form"));

export default function Expired() {
  return (
    <Dialog open firm size="small" title={t("expired.title")} onClose={() => undefined}>
      <div className="col">
        <p className="muted">{t("expired.text")}</p>
        <Suspense fallback={<Loading rows={3} />}>
          <SignIn />
        </Suspense>
        <Button kind="quiet" onClick={signedOut}>
          {t("expired.other")}
        </Button>
      </div>
    </Dialog>
  );
}
