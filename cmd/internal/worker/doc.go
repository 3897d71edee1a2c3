// Package worker is `mailflume run` without the command line: it turns a configuration into a
// connection to NATS, token sources, mail sources and a Fleet, and reports what they do as log
// lines, metrics and the HTTP listener.
//
//	w, err := worker.Start(ctx, cfg, worker.Options{Log: log})
//	if err != nil { … }
//	defer w.Close()
//	return w.Run(ctx) // until ctx ends
//
// Start returns when NATS is there and the stream is right; the HTTP listener answers before that.
// The Worker owns all goroutines it starts; Run and Close wait for them.
package worker
