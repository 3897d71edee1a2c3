package natsjs_test

import (
	"testing"

	"mailflume/publish"
	"mailflume/publish/logtest"
)

func TestTheLogPassesTheConformanceSuite(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	logtest.RunLog(t, func(t *testing.T) publish.Log {
		srv.freshStream(t)
		return srv.log(t)
	})
}
