using Detection.Inference.Devices;
using Detection.Inference.Devices.Cpu;
using Detection.Inference.Manifest;
using Microsoft.Extensions.Logging.Abstractions;

namespace Detection.Inference.Tests.Devices;

/// <summary>A model in a folder, loaded onto the CPU as in the product.</summary>
internal sealed class DroppedModel : IAsyncDisposable
{
    private readonly CpuDevice _device = new(new DeviceOptions { CpuWorkers = 2 }, TimeProvider.System, NullLogger<CpuDevice>.Instance);
    private IModelSession _session = null!;

    private DroppedModel()
    {
    }

    public static async Task<DroppedModel> Load(ModelSource source)
    {
        var model = new DroppedModel();
        try
        {
            model._session = await model._device.LoadAsync(source, default).WaitAsync(TimeSpan.FromMinutes(2));
            return model;
        }
        catch
        {
            await model._device.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a batch and returns its outcomes; a failed picture fails the test.</summary>
    public async Task<PictureOutcome[]> Detect(params byte[][] pictures)
    {
        var outcomes = new PictureOutcome[pictures.Length];
        var batch = pictures.Select(p => new PictureWork(p, null, DateTimeOffset.MaxValue)).ToArray();
        await _session.DetectAsync(batch, (i, outcome) => outcomes[i] = outcome, default).WaitAsync(TimeSpan.FromMinutes(5));
        Assert.All(outcomes, o => Assert.True(o.Kind == OutcomeKind.Detected, o.Error?.ToString()));
        return outcomes;
    }

    public async ValueTask DisposeAsync()
    {
        await _session.DisposeAsync();
        await _device.DisposeAsync();
    }
}
