package app

import (
	"holdfast/internal/engine"
	"holdfast/internal/workload/drive"
	"holdfast/internal/workload/exchange"
	"holdfast/internal/workload/site"
	"holdfast/internal/workload/team"
)

// workloads lists what can be protected: one line a workload.
func workloads(m *microsoft) []engine.Workload {
	return []engine.Workload{
		exchange.New(m.Graph),
		drive.New(m.Graph),
		site.New(m.Graph),
		team.New(m.Graph),
		team.NewChatLists(m.Graph),
		team.NewChats(m.Graph),
	}
}
