package sim

// initDrives, driveRoutes and driveID belong to the drives; this file is theirs.

func (s *Sim) initDrives() error { return nil }

func (s *Sim) driveRoutes() []Route { return nil }

// driveID is the id of a user's drive, empty if it was never provisioned.
func (s *Sim) driveID(*User) string { return "" }
