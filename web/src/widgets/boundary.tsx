/** Keeps a part that throws from taking the rest with it. One around each room and each heavy widget. */
import { Component, type ReactNode } from "react";
import { t } from "../locale/en";
import { Button } from "./button";

export class ErrorBoundary extends Component<{ children: ReactNode; name?: string }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    if (!this.state.error) return this.props.children;
    return (
      <div className="view view-error" role="alert">
        <h2>{t("boundary.title")}</h2>
        <p className="view-text">{t("boundary.text")}</p>
        <p className="meta mono">{this.state.error.message.slice(0, 200)}</p>
        <Button onClick={() => this.setState({ error: null })}>{t("boundary.again")}</Button>
      </div>
    );
  }
}
