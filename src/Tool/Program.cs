return await Detection.Tool.DetectionCommandLine.RunAsync(args);
