// Package demo is the stage for `mailflume demo`: an OAuth2 issuer, an IMAP server and a POP3 server
// on loopback that hold the testdata mail, and a configuration file that points the real worker at
// them.
//
//	stage, err := demo.Start()
//	if err != nil { … }
//	defer stage.Close()
//	cfg, err := config.Load(stage.ConfigFile())
//
// Everything lies in a temporary folder that Close removes; Close waits for the servers.
package demo
