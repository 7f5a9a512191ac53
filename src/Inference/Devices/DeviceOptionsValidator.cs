using System.Globalization;
using Microsoft.Extensions.Options;

namespace Detection.Inference.Devices;

/// <summary>Says what is wrong with <see cref="DeviceOptions"/>.</summary>
public sealed class DeviceOptionsValidator : IValidateOptions<DeviceOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, DeviceOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var faults = new List<string>();
        string[] devices = options.Names;
        foreach (string device in devices)
        {
            if (device is "auto" or "none")
            {
                if (devices.Length > 1)
                {
                    faults.Add($"Devices is \"{options.Devices}\"; \"{device}\" stands alone.");
                }
            }
            else if (device != "cpu" && DeviceName.CudaIndex(device) is null)
            {
                faults.Add($"Devices names \"{device}\"; write auto, none, cpu, cuda:0, cuda:1, … separated by commas.");
            }
        }

        if (devices.Distinct(StringComparer.Ordinal).Count() < devices.Length)
        {
            faults.Add($"Devices is \"{options.Devices}\"; name each device once.");
        }

        if (options.CpuWorkers is < 1 or > 1024)
        {
            faults.Add(string.Create(CultureInfo.InvariantCulture, $"CpuWorkers is {options.CpuWorkers}; write 1 to 1024."));
        }

        if (options.Limits is not { MaxBytes: > 0, MaxPixels: > 0 })
        {
            faults.Add("Limits needs MaxBytes and MaxPixels above 0.");
        }

        return faults.Count > 0 ? ValidateOptionsResult.Fail(faults) : ValidateOptionsResult.Success;
    }
}
