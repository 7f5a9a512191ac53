using Detection.Contracts.Cluster;
using Detection.Grains.Health;

namespace Detection.Grains.Tests.Health;

public sealed class HealthTrackerTests
{
    private readonly HealthTracker _tracker = new(maxErrors: 3);

    [Fact]
    public void Errors_without_a_success_between_them_quarantine_a_device()
    {
        _tracker.Failed("first");
        Assert.Equal((DeviceHealth.Suspect, "first", true), (_tracker.State, _tracker.Reason, _tracker.Serves));
        _tracker.Failed("second");
        Assert.True(_tracker.Serves);
        Assert.False(_tracker.Left.IsCompleted);

        _tracker.Failed("third");

        Assert.Equal((DeviceHealth.Quarantined, "third", false), (_tracker.State, _tracker.Reason, _tracker.Serves));
        Assert.True(_tracker.Left.IsCompleted);
        Assert.Equal(3, _tracker.Errors);
    }

    [Fact]
    public void Success_between_errors_resets_their_count()
    {
        for (var i = 0; i < 10; i++)
        {
            _tracker.Failed("now and then");
            _tracker.Failed("now and then");
            _tracker.Succeeded();
            Assert.Equal((DeviceHealth.Serving, null), (_tracker.State, _tracker.Reason));
        }

        Assert.Equal(20, _tracker.Errors);
    }

    [Fact]
    public void Success_of_an_earlier_run_does_not_end_a_quarantine()
    {
        _tracker.Quarantine("blind");
        _tracker.Succeeded();

        Assert.Equal((DeviceHealth.Quarantined, "blind"), (_tracker.State, _tracker.Reason));
    }

    [Fact]
    public void Device_breaks_recovers_and_is_quarantined_again()
    {
        _tracker.Quarantine("blind");
        var left = _tracker.Left;
        _tracker.Reload();
        Assert.Equal(DeviceHealth.Reloading, _tracker.State);
        _tracker.Break("still blind");
        Assert.Equal((DeviceHealth.Broken, "still blind", false), (_tracker.State, _tracker.Reason, _tracker.Serves));
        Assert.True(left.IsCompleted);

        _tracker.Reload();
        _tracker.Recovered();
        Assert.Equal((DeviceHealth.Serving, null, true), (_tracker.State, _tracker.Reason, _tracker.Serves));
        Assert.False(_tracker.Left.IsCompleted);

        // Errors before the reload do not count any more.
        _tracker.Failed("again");
        Assert.Equal(DeviceHealth.Suspect, _tracker.State);
        _tracker.Failed("again");
        _tracker.Failed("again");
        Assert.Equal(DeviceHealth.Quarantined, _tracker.State);
    }

    [Fact]
    public void Only_a_reloaded_device_recovers()
    {
        _tracker.Recovered();
        Assert.Equal(DeviceHealth.Serving, _tracker.State);
        _tracker.Quarantine("blind");
        _tracker.Recovered();
        Assert.Equal(DeviceHealth.Quarantined, _tracker.State);
    }
}
