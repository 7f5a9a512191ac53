using System.CommandLine;
using Detection.Inference.Devices;
using Detection.Inference.Devices.Discovery;
using Detection.Inference.Manifest;
using Detection.Tool.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;

namespace Detection.Tool.Models;

/// <summary>A loaded model on a device of this machine, warmed up.</summary>
internal sealed class LoadedModel : IAsyncDisposable
{
    private readonly IInferenceDevice _device;

    private LoadedModel(ModelSource source, IInferenceDevice device, IModelSession session) =>
        (Source, _device, Session) = (source, device, session);

    /// <summary>The option that names the device.</summary>
    public static Option<string> DeviceOption() => new("--device")
    {
        Description = "auto (the first GPU that works, else the CPU), cpu, cuda:0, cuda:1, …",
        HelpName = "name",
        DefaultValueFactory = _ => "auto",
    };

    /// <summary>The model.</summary>
    public ModelSource Source { get; }

    /// <summary>The session that runs it.</summary>
    public IModelSession Session { get; }

    /// <summary>Name of the device, <c>cpu</c>, <c>cuda:0</c>, …</summary>
    public string DeviceName => _device.Name;

    /// <summary>Whether it runs on the CPU, picture by picture.</summary>
    public bool OnCpu => _device.Name == "cpu";

    /// <summary>The model and the device, for people.</summary>
    public string Description => $"{Source.Name}@{Source.Version} on {_device.Description}";

    /// <summary>Loads a model.</summary>
    /// <param name="source">The model.</param>
    /// <param name="deviceName">Name of the device.</param>
    /// <param name="workers">Threads; <see langword="null"/> for one per core.</param>
    /// <param name="note">Receives the faults of devices that are not used.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ModelException">The model cannot be run.</exception>
    /// <exception cref="CommandException">There is no such device, or it does not work.</exception>
    public static async Task<LoadedModel> LoadAsync(
        ModelSource source, string deviceName, int? workers, Action<string> note, CancellationToken cancellationToken)
    {
        var device = await OpenAsync(deviceName, workers, note);
        try
        {
            return new LoadedModel(source, device, await device.LoadAsync(source, cancellationToken));
        }
        catch
        {
            await device.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Session.DisposeAsync();
        await _device.DisposeAsync();
    }

    private static async Task<IInferenceDevice> OpenAsync(string name, int? workers, Action<string> note)
    {
        var options = new DeviceOptions { Devices = name };
        options.CpuWorkers = workers ?? options.CpuWorkers;
        if (new DeviceOptionsValidator().Validate(null, options) is { Failed: true } wrong)
        {
            throw new CommandException($"--device: {wrong.FailureMessage}");
        }

        var found = new DeviceDiscovery(options, TimeProvider.System, NullLoggerFactory.Instance).Open();
        if (found.Devices.Count == 0)
        {
            throw new CommandException(found.Problems.Count > 0 ? found.Problems[0] : $"There is no device {name}; correct --device.");
        }

        foreach (var problem in found.Problems)
        {
            note(problem);
        }

        foreach (var other in found.Devices.Skip(1))
        {
            await other.DisposeAsync();
        }

        return found.Devices[0];
    }
}
