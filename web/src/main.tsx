/** Where it begins. */
import "./design/tokens.css";
import "./design/base.css";
import "./design/widgets.css";
import "./design/shell.css";
import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { createRoot } from "react-dom/client";
import { live } from "./api/live";
import { whoAmI } from "./api/me";
import { queries } from "./api/query";
import { startTheme } from "./design/theme";
import { router } from "./shell/router";

startTheme();
const begin = () => {
  whoAmI().catch(() => setTimeout(begin, 2000)); // nobody answers: the banner says so
};
begin();
live.onEnd = () => void whoAmI().catch(() => undefined);

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </CSPProvider>,
  );
}
