using Microsoft.Extensions.Options;

namespace Detection.Inference.Devices;

/// <summary>The rules of <see cref="DeviceOptions"/> that involve several settings or the content of a text.</summary>
public sealed class DeviceOptionsValidator : IValidateOptions<DeviceOptions>
{
    private const string Setting = $"{DeviceOptions.Section}:{nameof(DeviceOptions.Devices)}";
    private static readonly string Cuda = $"{DeviceOptions.Section}:{nameof(DeviceOptions.Cuda)}";

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, DeviceOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var faults = new List<string>();
        var devices = options.SplitNames();
        foreach (string device in devices)
        {
            if (device is "auto" or "none")
            {
                if (devices.Count > 1)
                {
                    faults.Add($"The setting '{Setting}' is '{options.Devices}'. Use '{device}' alone, or name single devices.");
                }
            }
            else if (device != "cpu" && DeviceName.CudaIndex(device) is null)
            {
                faults.Add($"The setting '{Setting}' names '{device}'. Use auto, none, or cpu, cuda:0, cuda:1, … separated by commas.");
            }
        }

        if (devices.Distinct(StringComparer.Ordinal).Count() < devices.Count)
        {
            faults.Add($"The setting '{Setting}' is '{options.Devices}'. Name each device once.");
        }

        if (options.Cuda.TensorRt && string.IsNullOrWhiteSpace(options.Cuda.TensorRtCache))
        {
            faults.Add($"The setting '{Cuda}:{nameof(CudaOptions.TensorRt)}' is true. Set '{Cuda}:{nameof(CudaOptions.TensorRtCache)}' to a folder for its engines that only this program may write to.");
        }

        return faults.Count > 0 ? ValidateOptionsResult.Fail(faults) : ValidateOptionsResult.Success;
    }
}
