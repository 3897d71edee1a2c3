package natsjs

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// read hands messages from cfg's start sequence on to see until that says done. Nothing coming for a
// while is an error too: whoever reads to a certain message looks whether it is still there.
func (l *mailLog) read(ctx context.Context, cfg jetstream.OrderedConsumerConfig, see func(jetstream.Msg) (done bool, err error)) (done bool, err error) {
	create, cancel := context.WithTimeout(ctx, l.c.opt.PublishTimeout)
	defer cancel()
	started := time.Now()
	cfg.DeliverPolicy, cfg.InactiveThreshold, cfg.MaxResetAttempts = jetstream.DeliverByStartSequencePolicy, 30*time.Second, 3
	cons, err := l.c.js.OrderedConsumer(create, l.stream.name, cfg)
	if err != nil {
		return false, l.cause(err, started)
	}
	msgs, err := cons.Messages()
	if err != nil {
		return false, l.cause(err, started)
	}
	defer l.c.forget(l.stream.name, cons)
	defer msgs.Stop()
	for {
		next, cancel := context.WithTimeout(ctx, l.c.opt.PublishTimeout)
		msg, err := msgs.Next(jetstream.NextContext(next))
		cancel()
		if err != nil {
			return false, l.cause(err, started)
		}
		if done, err := see(msg); done || err != nil {
			return done, err
		}
	}
}

// forget deletes a consumer without waiting: by itself it would go only after its inactive threshold,
// and thousands of claims in a row would pile them up.
func (c *Conn) forget(stream string, cons jetstream.Consumer) {
	if info := cons.CachedInfo(); info != nil {
		_ = c.nc.Publish(c.api()+"CONSUMER.DELETE."+stream+"."+info.Name, nil)
	}
}
