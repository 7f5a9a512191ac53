using System.Globalization;
using Detection.Testing;

namespace Detection.Soak;

/// <summary>
/// The folder of models. Some models stay, and others are added and removed while requests are answered: copies of a model that
/// stays, and files that are not valid.
/// </summary>
internal sealed class ModelTraffic : IDisposable
{
    /// <summary>The model that is added and removed.</summary>
    public const string Coming = "coming";

    private const string Default = "nanodet-g";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("detection-soak-models-");
    private readonly List<string> _events = [];

    /// <summary>Creates the folder with the models that stay and the one that will be added.</summary>
    public ModelTraffic()
    {
        Copy(System.IO.Path.Combine(Repository.Root, "models", Default), Default);
        if (SharedFiles.Find("cases/models") is { } cases)
        {
            foreach (var model in Directory.EnumerateDirectories(cases).Order(StringComparer.Ordinal))
            {
                Copy(model, System.IO.Path.GetFileName(model));
                Staying.Add(System.IO.Path.GetFileName(model));
            }
        }

        Add();
    }

    /// <summary>The folder.</summary>
    public string Path => _folder.FullName;

    /// <summary>The models that stay, besides the default one.</summary>
    public List<string> Staying { get; } = [];

    /// <summary>The changes, in their order.</summary>
    public IReadOnlyList<string> Events => _events;

    /// <summary>Adds and removes models until it is cancelled.</summary>
    public async Task RunAsync(Random random, CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromSeconds(3 + (random.NextDouble() * 7)), cancellation);
                var (name, happen) = random.Of<(string, Action)>(
                [
                    ("added or replaced", Add), ("added or replaced", Add), ("removed", Remove), ("spoilt", () => Spoil(random)), ("a file that is no model", () => Drop(random)), ("files that are no models removed", Sweep),
                ]);
                happen();
                _events.Add($"{DateTime.UtcNow:HH:mm:ss} {name}");
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>Adds the model, with another threshold each time, so that it is another version.</summary>
    private void Add()
    {
        var staged = Directory.CreateDirectory(System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"detection-soak-{Guid.NewGuid():N}"));
        foreach (var file in Directory.EnumerateFiles(System.IO.Path.Combine(Path, Default)))
        {
            File.Copy(file, System.IO.Path.Combine(staged.FullName, System.IO.Path.GetFileName(file)));
        }

        // The requests name their threshold, so every version answers the same.
        var manifest = System.IO.Path.Combine(staged.FullName, "model.json");
        var threshold = string.Create(CultureInfo.InvariantCulture, $"\"threshold\": 0.{401 + (_events.Count % 100)}");
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("\"threshold\": 0.4", threshold, StringComparison.Ordinal));
        Remove();
        Directory.Move(staged.FullName, System.IO.Path.Combine(Path, Coming));
    }

    private void Remove()
    {
        if (Directory.Exists(System.IO.Path.Combine(Path, Coming)))
        {
            Directory.Delete(System.IO.Path.Combine(Path, Coming), recursive: true);
        }
    }

    /// <summary>Replaces the model by a file that is not valid: the previous version is still served.</summary>
    private void Spoil(Random random)
    {
        var file = System.IO.Path.Combine(Path, Coming, "model.onnx");
        if (File.Exists(file))
        {
            var bytes = File.ReadAllBytes(file);
            File.WriteAllBytes(file, random.OneIn(2) ? bytes[..random.Next(bytes.Length)] : PictureMutations.Mutate(random, bytes)[..^random.Next(1, 500)]);
        }
    }

    private void Drop(Random random)
    {
        var name = System.IO.Path.Combine(Path, $"bad-{random.Next(5)}");
        switch (random.Next(4))
        {
            case 0 when SharedFiles.Find("cases/late/crash-samename.onnx") is { } crash:
                File.Copy(crash, name + ".onnx", overwrite: true);
                break;
            case 1:
                File.WriteAllBytes(name + ".onnx", []);
                break;
            case 2:
                Directory.CreateDirectory(name);
                File.WriteAllText(System.IO.Path.Combine(name, "model.json"), "{\"task\":");
                File.WriteAllBytes(System.IO.Path.Combine(name, "model.onnx"), new byte[1000]);
                break;
            default:
                var bytes = new byte[random.Next(1, 100_000)];
                random.NextBytes(bytes);
                File.WriteAllBytes(name + ".onnx", bytes);
                break;
        }
    }

    private void Sweep()
    {
        foreach (var bad in _folder.EnumerateFileSystemInfos("bad-*").ToList())
        {
            if (bad is DirectoryInfo folder)
            {
                folder.Delete(recursive: true);
            }
            else
            {
                bad.Delete();
            }
        }
    }

    private void Copy(string from, string name)
    {
        var target = Directory.CreateDirectory(System.IO.Path.Combine(Path, name)).FullName;
        foreach (var file in Directory.EnumerateFiles(from))
        {
            // Not File.Copy: the shared files are read-only, and so copies could not be removed.
            File.WriteAllBytes(System.IO.Path.Combine(target, System.IO.Path.GetFileName(file)), File.ReadAllBytes(file));
        }
    }
}
