package sourcetest_test

import (
	"io"
	"testing"

	"mailflume/ingest"
	"mailflume/ingest/sourcetest"
)

// memoryServer makes the in-memory mailbox a Server.
type memoryServer struct{ box *sourcetest.Mailbox }

func (s memoryServer) Source(_ *testing.T, start ingest.Start, after ingest.After) ingest.Source {
	s.box.Start, s.box.After = start, after
	return s.box
}

func (s memoryServer) Add(_ *testing.T, message []byte) { s.box.Add(message) }

func (s memoryServer) Left(*testing.T) int { return s.box.Len() }

func (s memoryServer) Renumber(*testing.T) bool {
	s.box.Renumber()
	return true
}

func (s memoryServer) Cut(_ *testing.T, n int) {
	s.box.BodyFault = func(_ uint32, body io.Reader) io.Reader {
		s.box.BodyFault = nil
		return io.MultiReader(io.LimitReader(body, int64(n)), failing{})
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestTheMemorySourceConforms(t *testing.T) {
	sourcetest.Run(t, func(*testing.T) sourcetest.Server {
		return memoryServer{sourcetest.NewMailbox(ingest.Start{}, ingest.After{})}
	})
}
