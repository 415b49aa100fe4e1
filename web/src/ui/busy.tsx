import { Spinner } from "@fluentui/react-components";

// Busy turns where something was begun. It says nothing itself: the button or list around it has the words.
export const Busy = ({ size = "tiny" }: { size?: "extra-tiny" | "tiny" | "small" }) => <Spinner size={size} role="presentation" aria-hidden />;
