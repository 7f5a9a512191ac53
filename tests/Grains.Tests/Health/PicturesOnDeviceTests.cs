using Detection.Grains.Health;
using Detection.Grains.Tests.Storage;

namespace Detection.Grains.Tests.Health;

public sealed class PicturesOnDeviceTests
{
    private readonly SteppedTime _time = new(DateTimeOffset.UnixEpoch);
    private readonly PicturesOnDevice _pictures;

    public PicturesOnDeviceTests() => _pictures = new PicturesOnDevice(_time);

    [Fact]
    public void AreHeld_is_true_while_the_number_of_pictures_on_the_device_is_unchanged()
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
