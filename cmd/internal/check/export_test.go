package check

// What tests reach.
var (
	Unasked      = unasked
	ThroughProxy = throughProxy
	OfIssuer     = ofIssuer
)

// GivenUp says whether a server is signed in to no more after these.
func GivenUp(came []error) bool {
	var s serverSteps
	for _, err := range came {
		s.heard(err)
	}
	return s.silent.Load() >= silence
}
