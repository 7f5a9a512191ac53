using BenchmarkDotNet.Running;

// All: dotnet run -c Release --project bench/Micro -- --filter '*' --job short
// In this process, so that nothing is built again, and native libraries and models are found beside the program.
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(["--inProcess", "--memory", .. args]);
