using Detection.Grains.Health;
using Detection.Grains.Tests.Storage;

namespace Detection.Grains.Tests.Health;

public sealed class PicturesOnDeviceTests
{
    private readonly SteppedTime _time = new(DateTimeOffset.UnixEpoch);
    private readonly PicturesOnDevice _pictures;

    public PicturesOnDeviceTests() => _pictures = new PicturesOnDevice(_time);

    [Fact]
    public void Pictures_are_held_only_while_they_are_on_the_device_and_none_comes_or_goes()
    {
        for (var round = 0; round < 3; round++)
        {
            var first = _pictures.Expect();
            var second = _pictures.Expect();
            Pass(100);
            Assert.False(IsHeld);

            first.Begin();
            Pass(9);
            second.Begin();
            Pass(9);
            Assert.False(IsHeld);
            Pass(2);
            Assert.True(IsHeld);

            second.Dispose();
            second.Dispose();
            Assert.False(IsHeld);
            Pass(11);
            Assert.True(IsHeld);

            first.Dispose();
            first.Begin();
            Pass(100);
            Assert.False(IsHeld);
        }
    }

    private bool IsHeld => _pictures.AreHeld(TimeSpan.FromSeconds(10));

    private void Pass(int seconds) => _time.Pass(seconds);
}
