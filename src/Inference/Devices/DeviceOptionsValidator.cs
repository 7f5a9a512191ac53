using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Detection.Inference.Pictures;
using Microsoft.Extensions.Options;

namespace Detection.Inference.Devices;

/// <summary>Validates <see cref="DeviceOptions"/>.</summary>
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
                    faults.Add($"Devices is \"{options.Devices}\"; use \"{device}\" alone, or name single devices.");
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

        if (options.RunTimeout < TimeSpan.FromMilliseconds(100) || options.RunTimeout > TimeSpan.FromHours(1))
        {
            faults.Add($"RunTimeout is {options.RunTimeout}; write 00:00:00.1 to 01:00:00.");
        }

        CheckLimits(options.Limits, faults);

        CheckCuda(options.Cuda, faults);
        return faults.Count > 0 ? ValidateOptionsResult.Fail(faults) : ValidateOptionsResult.Success;
    }

    private static void CheckLimits(PictureLimits limits, List<string> faults)
    {
        var results = new List<ValidationResult>();
        Validator.TryValidateObject(limits, new ValidationContext(limits), results, validateAllProperties: true);
        faults.AddRange(results.Select(result => $"Limits: {result.ErrorMessage}"));
    }

    private static void CheckCuda(CudaOptions cuda, List<string> faults)
    {
        if (cuda.MaxBatch is < 1 or > 256)
        {
            faults.Add(string.Create(CultureInfo.InvariantCulture, $"Cuda:MaxBatch is {cuda.MaxBatch}; write 1 to 256."));
        }

        if (cuda.MemoryLimitMiB < 0)
        {
            faults.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"Cuda:MemoryLimitMiB is {cuda.MemoryLimitMiB}; write a number of MiB, or 0 for no limit."));
        }

        if (cuda.TensorRt && string.IsNullOrWhiteSpace(cuda.TensorRtCache))
        {
            faults.Add("Cuda:TensorRt needs Cuda:TensorRtCache; write a folder for its engines that only this program may write to.");
        }

        if (!(cuda.VerifyTolerance is > 0 and <= 1))
        {
            faults.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"Cuda:VerifyTolerance is {cuda.VerifyTolerance}; write a number above 0 and up to 1, for example 0.02."));
        }
    }
}
