using Detection.Client;
using Detection.Grains.Tests.Batching;
using Detection.Objects;
using StackExchange.Redis;

namespace Detection.Grains.Tests.Requests;

/// <summary>A Redis, a client, and a device whose batches end when the test releases them.</summary>
public abstract class RequestTest : SiloTest
{
    private ConnectionMultiplexer _connection = null!;
    private int _next;

    private protected GatedDevice Device { get; } = new("gated:0");

    protected IDatabase Database => _connection.GetDatabase();

    protected IServer Server => _connection.GetServers()[0];

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _connection = await Redis.ConnectAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Dispose();
        await _connection.DisposeAsync();
        await base.DisposeAsync();
    }

    /// <summary>Disposes what a derived test has added.</summary>
    protected virtual void Dispose()
    {
    }

    private protected Task<TestSilo> StartSiloAsync(params IEnumerable<(string Name, string Value)> settings) =>
        TestSilo.StartAsync(Redis, Device, settings);

    private protected Task<TestSilo> StartSiloWithoutDeviceAsync(params IEnumerable<(string Name, string Value)> settings) =>
        TestSilo.StartAsync(Redis, [], settings);

    /// <summary>Occupies the device with a picture.</summary>
    protected async Task<DetectionTicket> OccupyAsync()
    {
        var ticket = await Client.SubmitAsync(Next(), Patient);
        await Eventually.Async(() => Device.Batches.Count == 1, Eventually.Soon, "the device is busy with one picture");
        return ticket;
    }

    /// <summary>Submits or detects; returns the error, or <see langword="null"/>.</summary>
    protected async Task<FailureReason?> TryAsync(byte[] picture, bool asynchronous)
    {
        try
        {
            _ = asynchronous ? await Client.SubmitAsync(picture, Patient) : (object)await Client.DetectAsync(picture, Patient);
            return null;
        }
        catch (DetectionException e)
        {
            return e.Reason;
        }
    }

    /// <summary>Waits until an accepted request is done; fails at once when it ends otherwise.</summary>
    protected Task DoneAsync(string imageKey) => Eventually.Async(
        async () => await Client.GetStatusAsync(imageKey) switch
        {
            { Status: DetectionStatus.Failed or DetectionStatus.Expired } ticket => throw new ConditionHopelessException($"It ended otherwise: {ticket}."),
            var ticket => ticket.Status == DetectionStatus.Done,
        },
        Eventually.Soon,
        "what was accepted is done");

    protected async Task<long> WaitingAsync() => await Database.ListLengthAsync(Keys.Queue(await ModelAsync()));

    protected byte[] Next() => TestPictures.Unique(Interlocked.Increment(ref _next));
}
