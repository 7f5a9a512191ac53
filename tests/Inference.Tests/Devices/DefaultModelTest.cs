using Detection.Inference.Devices;
using Detection.Inference.Devices.Cpu;
using Detection.Inference.Manifest;
using Detection.Inference.Repository;
using Microsoft.Extensions.Logging.Abstractions;

namespace Detection.Inference.Tests.Devices;

/// <summary>The CPU device with the default model.</summary>
public abstract class DefaultModelTest : IAsyncLifetime
{
    protected const int Workers = 3;

    protected static ModelSource NanoDet { get; } = ModelFile.Read(Path.Combine(Testing.Repository.Root, "models", "nanodet-g"));

    protected CpuDevice Device { get; } = new(new DeviceOptions { CpuWorkers = Workers }, TimeProvider.System, NullLogger<CpuDevice>.Instance);

    protected IModelSession Session { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Session = await Device.LoadAsync(NanoDet, default);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Session.DisposeAsync();
        await Device.DisposeAsync();
    }

    protected static PictureWork Work(byte[] picture) => new(picture, null, DateTimeOffset.MaxValue);

    /// <summary>Runs pictures as one batch; each has one outcome.</summary>
    protected async Task<PictureOutcome[]> DetectAsync(byte[][] pictures)
    {
        var outcomes = new PictureOutcome[pictures.Length];
        await Session.DetectAsync(
            [.. pictures.Select(Work)],
            (i, outcome) => Assert.Null(Interlocked.Exchange(ref outcomes[i], outcome)),
            default).WaitAsync(TimeSpan.FromMinutes(2));
        Assert.All(outcomes, Assert.NotNull);
        return outcomes;
    }
}
