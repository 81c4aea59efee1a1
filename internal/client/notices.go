package client

// A ChannelTest asks for a message on one channel.
type ChannelTest struct {
	Channel string `json:"channel" minLength:"1" maxLength:"128" doc:"name of the channel"`
}
